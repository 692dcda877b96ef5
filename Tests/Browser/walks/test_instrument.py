"""What the customer's page tells of a heart besides its rate: the activity, the usual rates, irregular beats, limits to take."""
import datetime as dt
import random
import unittest

from selenium.webdriver.common.keys import Keys

from browser import Browser
from episodes import EpisodeCase
from pipeline import Pipeline, eventually


class Activity(EpisodeCase):
    @classmethod
    def seed(cls):
        super().seed()
        # Four minutes of rest, then a walk; of the last two minutes nothing is told.
        cls.pipeline.run("""
            UPDATE heart_rate_readings SET activity = CASE WHEN recorded_at < now() - interval '6 min' THEN 1 ELSE 2 END
             WHERE customer_id = 'cust_0002' AND recorded_at < now() - interval '2 min'""")

    def strip(self):
        """The widths of the strip's bars in px, and how many px of each of the heights of 3, 6, 11 and 16 px are painted."""
        return self.browser.script("""
            const chart = Chart.getChart("chart"), {left, width} = chart.chartArea, scale = chart.currentDevicePixelRatio;
            const painted = above => {
                const row = chart.ctx.getImageData(left * scale, (chart.height - above) * scale, width * scale, 1).data;
                let count = 0;
                for (let at = 3; at < row.length; at += 4) count += row[at] === 255;
                return count;
            };
            return {
                spans: chart.activities.map(({activity, from, until}) => [activity, Math.round((until - from) / 1000)]),
                painted: [2, 5, 10, 15].map(painted), width: width * scale, bottom: chart.chartArea.bottom, height: chart.height,
            }""")

    def test_strip(self):
        browser = self.browser
        self.person("cust_0002")
        found = eventually(lambda: (strip := self.strip())["spans"] and strip, "a strip")
        self.assertEqual([activity for activity, _ in found["spans"]], ["rest", "walk"])
        for _, seconds in found["spans"]:
            self.assertAlmostEqual(seconds, 240, delta=6)
        # Both are low; only the walk is higher.
        low, middle, high, highest = found["painted"]
        self.assertAlmostEqual(low, middle, delta=2)
        self.assertAlmostEqual(high, low / 2, delta=low / 10)
        self.assertEqual(highest, 0)
        self.assertEqual([text.split(" ")[0] for text in browser.texts("#activities li")], ["rest", "walk"])
        self.assertIn("; activity: rest 4 min", browser.one("#chart").get_attribute("aria-label"))
        # Closer, by the keyboard: the same strip, over the time that is shown.
        browser.script("document.getElementById('plot').focus()")
        browser.driver.switch_to.active_element.send_keys("+")
        eventually(lambda: self.strip()["painted"][0] > found["painted"][0] * 1.3,
                   lambda: f"wider bars than {found}, not {self.strip()}")
        browser.driver.switch_to.active_element.send_keys(Keys.ESCAPE)
        eventually(lambda: abs(self.strip()["painted"][0] - found["painted"][0]) < 30, "the whole time again")
        for dark in (False, True):
            for width in (1440, 320):
                browser.look(dark=dark, width=width, calm=True)
                with self.subTest(dark=dark, width=width):
                    self.person("cust_0002")
                    eventually(lambda: self.strip()["spans"], "a strip")
                    self.assertEqual(browser.violations(), [])
                    self.assertLessEqual(browser.script("return document.documentElement.scrollWidth"), width)
                    browser.screenshot(f"activity-{'dark' if dark else 'light'}-{width}")

    def test_nothing_told(self):
        """No strip, no legend, and the room of both is the chart's."""
        self.person("cust_0001")
        eventually(lambda: sum(self.browser.points()) > 0, "points")
        self.assertEqual(self.strip()["spans"], [])
        self.assertLess(self.strip()["height"] - self.strip()["bottom"], 40)
        self.assertFalse(self.browser.one("#activities").is_displayed())


class Heart(unittest.TestCase):
    """Hearts of some days, learned by a real consumer."""

    @classmethod
    def setUpClass(cls):
        cls.pipeline = pipeline = cls.enterClassContext(Pipeline())
        pipeline.start("consumer")
        now = dt.datetime.now(dt.UTC)
        pipeline.publish([*cls.slow_nights(now), *cls.irregular_hours(now)])
        pipeline.start_dashboard()
        cls.browser = Browser(pipeline.address)
        cls.addClassCleanup(cls.browser.close)

    @staticmethod
    def slow_nights(now):
        """A reading each minute for four days, about 60 by day and 38 for eight hours of sleep."""
        for minute in range(4 * 1440, 0, -1):
            rate = 38 if 8 * 60 <= minute % 1440 < 16 * 60 else 60
            yield "slow", now - dt.timedelta(minutes=minute), rate + minute % 3

    @staticmethod
    def irregular_hours(now):
        """A reading each beat for 80 minutes, half of them regular."""
        chance, at = random.Random(1), now - dt.timedelta(minutes=80)
        while at < now:
            rate = 64 + chance.randint(0, 1) if at < now - dt.timedelta(minutes=40) else chance.uniform(58, 98)
            at += dt.timedelta(seconds=60 / rate)
            yield "irregular", at, round(rate)

    def person(self, who):
        self.browser.open(f"/customer?customer_id={who}")
        eventually(lambda: self.browser.all("#figures .card"), "the figures of the range")

    def test_limits_to_take(self):
        browser = self.browser
        browser.look()
        browser.open()
        browser.script("localStorage.setItem('acknowledges', 'Anna')")
        self.person("slow")
        browser.wait_text("#proposal", "This heart is slow in sleep. 31 bpm as its own lowest limit would suit it. Take 31 bpm")
        browser.screenshot("proposal")
        self.assertEqual(browser.violations(), [])
        browser.click("#proposal a")
        self.assertEqual(browser.one("#limit-min").get_attribute("value"), "31")
        browser.wait_text("#limits-change", "31")
        browser.click("#limits-form button")
        browser.wait_text("#limits", "Own limits for episodes: 31 to 180 bpm, instead of 40 to 180.")
        eventually(lambda: not browser.one("#proposal").is_displayed(), "no proposal any more")
        self.assertEqual(browser.errors(), [])

    def test_irregular(self):
        self.browser.look()
        self.person("irregular")
        found = eventually(lambda: self.browser.text("#irregular"), "a figure")
        self.assertRegex(found, r"^The heartbeat was irregular for (4\d|5\d) % of the last 1 h 1\d min\.$")
        self.browser.screenshot("irregular")
        self.person("slow")
        self.assertFalse(self.browser.one("#irregular").is_displayed())

    def test_usual_rates(self):
        self.person("slow")
        usual = eventually(lambda: self.browser.script("return Chart.getChart('chart').usual"), "usual rates")
        self.assertTrue(58 <= usual["lowest"] <= usual["highest"] <= 63, usual)


if __name__ == "__main__":
    unittest.main()
