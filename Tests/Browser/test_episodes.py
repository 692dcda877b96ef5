"""Episodes in lists of their own: those that have closed, and those of one customer, which also stand on the chart."""
import unittest

from episodes import HOSTILE, EpisodeCase
from pipeline import eventually


class Episodes(EpisodeCase):
    def test_closed_ones_are_shown_by_and_by(self):
        for number in range(30):
            self.episode(f"c{number:02}", "tachycardia", "medium", 1000 - number, 900 - number)
        self.overview()
        eventually(lambda: len(self.rows("closed")) == 8, "the first ones")
        for more in (24, 30):
            self.browser.click("#closed-more")
            eventually(lambda: len(self.rows("closed")) == more, f"{more} rows")
        self.assertFalse(self.browser.one("#closed-more").is_displayed())
        self.assertEqual([row[1].split("|")[0] for row in self.rows("closed")], [f"c{29 - number:02}" for number in range(30)])

    def test_a_customers_own_page(self):
        browser = self.browser
        self.episode("cust_0003", "bradycardia", "high", 500, 400, by="Anna")
        self.episode("cust_0003", "signal loss", "medium", 30)
        self.episode("cust_0003", "tachycardia", "high", 90_000, 80_000)
        self.person("cust_0003")
        eventually(lambda: len(self.rows("episodes")) == 2, "the two of this range")
        self.assertEqual(browser.text("#limits"), "Own limits for episodes: 45 to 160 bpm, instead of 40 to 180.")
        # Nothing comes from there any more, so there is no current rate.
        browser.wait_text("#now", "no signal")
        eventually(lambda: browser.text(".now-value.old") == "last 70 bpm", "no current rate")
        bands = browser.script("""
            const chart = Chart.getChart("chart"), x = chart.scales.x;
            return chart.episodes.map(each => [each.kind, Math.round((Date.parse(each.closed_at ?? x.max) - Date.parse(each.opened_at)) / 1000)])""")
        self.assertEqual(bands[0], ["bradycardia", 100])
        self.assertIn("episodes: signal loss, medium; bradycardia, high", browser.one("#chart").get_attribute("aria-label"))
        self.assertTrue(self.has_band())
        browser.screenshot("episodes-customer")
        self.person("cust_0001")
        self.assertFalse(self.has_band())
        self.assertTrue(browser.one("#episodes-empty").is_displayed())
        self.assertFalse(browser.one("#limits").is_displayed())

    def has_band(self):
        """Whether the chart's upper edge has a band's bar somewhere: pixels as opaque as nothing else there."""
        return self.browser.script("""
            const chart = Chart.getChart("chart"), {left, top, width} = chart.chartArea, scale = chart.currentDevicePixelRatio;
            const bytes = chart.ctx.getImageData(left * scale, top * scale + 1, width * scale, 1).data;
            let solid = 0;
            for (let at = 3; at < bytes.length; at += 4) solid += bytes[at] === 255;
            return solid > 20""")

    def test_for_everybody(self):
        """WCAG 2.2 A and AA by axe-core, no page wider than its window and no text wider than its place."""
        self.episode("cust_0003", "signal loss", "medium", 25, reason="no reading for 25 s, usually one each 1.0 s")
        self.episode("cust_0003", "deviation", "low", 130, reason="+38 over the usual 62")
        self.episode("cust_0003", "bradycardia", "high", 560, 440, by="Anna Lindqvist-Oppenheimer the Elder")
        self.episode("cust_0003", "tachycardia", "medium", 300, 150, reason="bpm 133 to 150 for 100 s, limit 131")
        self.episode(HOSTILE, "tachycardia", "high", 300, 150)
        for dark in (False, True):
            for width in (1440, 320):
                self.browser.look(dark=dark, width=width, calm=True)
                with self.subTest(dark=dark, width=width):
                    self.person("cust_0003")
                    eventually(lambda: len(self.rows("episodes")) >= 4, "the episodes")
                    self.assertEqual(self.browser.violations(), [])
                    self.assertLessEqual(self.browser.script("return document.documentElement.scrollWidth"), width)
                    self.assertEqual(self.browser.script("""
                        return [...document.querySelectorAll(".episode > *")]
                            .filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent)"""), [])
                    self.browser.screenshot(f"episodes-customer-{'dark' if dark else 'light'}-{width}")
        self.overview()
        self.calm_hand()
        self.browser.click("#people button.person-button")
        self.assertEqual(self.browser.violations(), [])
        self.browser.screenshot("episodes-name")


if __name__ == "__main__":
    unittest.main()
