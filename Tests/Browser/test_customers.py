"""Ten thousand customers, one customer's own page, and both pages for everybody's eyes and hands."""
import csv
import datetime as dt
import io
import unittest
import urllib.request

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from browser import Browser
from pipeline import Pipeline, eventually

HOSTILE = "<img src=x onerror=alert(1)>"
NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)


def everybody():
    """One reading of each of 9,998 customers, and ten minutes of two: one a second, one of each twenty an anomaly."""
    for number in range(9998):
        yield f"cust_{number + 1:05}", NOW - dt.timedelta(microseconds=number), 41 + number % 139
    for second in range(600):
        for who, rate in ((HOSTILE, 70), ("..", 90)):
            bpm = 200 + second % 7 if second % 20 == 0 else rate + second % 10
            yield who, NOW - dt.timedelta(seconds=600 - second, microseconds=123), bpm


class Customers(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pipeline = cls.enterClassContext(Pipeline())
        cls.pipeline.start("consumer")
        cls.pipeline.start_dashboard()
        cls.pipeline.publish(everybody())
        # Somebody goes on sending, so that the picture is live.
        cls.pipeline.start("producer", NUM_CUSTOMERS="6", INTERVAL_SECONDS="1")
        cls.browser = Browser(cls.pipeline.address)
        cls.addClassCleanup(cls.browser.close)

    def setUp(self):
        self.browser.look()

    def tearDown(self):
        self.assertEqual(self.browser.errors(), [])

    def overview(self, query=""):
        self.browser.open("/" + query)
        self.browser.wait_quiet()
        eventually(lambda: self.ids(), "rows")

    def person(self, query):
        self.browser.open("/customer?customer_id=" + query)
        self.browser.wait_quiet()
        eventually(lambda: self.browser.all("#figures .card"), "the figures of the range")

    def ids(self):
        return self.browser.texts("#customers tbody th a")

    def column(self, number):
        return self.browser.texts(f"#customers tbody td:nth-child({number})")

    def shown(self, text):
        eventually(lambda: self.browser.text("#range") == text,
                   lambda: f"{text!r} under the table, not {self.browser.text('#range')!r}")

    def total(self):
        return self.pipeline.rows("SELECT count(*) FROM customers")[0][0]

    def test_pages(self):
        total = self.total()
        self.assertEqual(total, 10_006)
        self.overview()
        self.shown(f"1–25 of {total:,}")
        wanted = [row[0] for row in self.pipeline.rows('SELECT customer_id FROM customers ORDER BY customer_id COLLATE "C"')]
        seen = self.ids()
        self.assertEqual(seen, wanted[:25])
        self.browser.click("#next")
        self.shown(f"26–50 of {total:,}")
        self.assertEqual(self.ids(), wanted[25:50])
        self.browser.click("#last")
        self.shown(f"10,001–{total:,} of {total:,}")
        self.assertEqual(self.ids(), wanted[10_000:])
        self.assertFalse(self.browser.one("#next").is_enabled())
        self.browser.click("#previous")
        self.shown(f"9,976–10,000 of {total:,}")
        self.browser.click("#first")
        self.shown(f"1–25 of {total:,}")
        self.browser.one("#rows").send_keys("100")
        self.shown(f"1–100 of {total:,}")
        self.assertEqual(self.ids(), wanted[:100])

    def test_sort(self):
        self.overview()
        for direction, ordered in (("descending", lambda them: sorted(them, reverse=True)), ("ascending", sorted)):
            self.browser.click("th[data-sort=heart_rate] button")
            eventually(lambda: self.browser.one("th[data-sort=heart_rate]").get_attribute("aria-sort") == direction, direction)

            def is_ordered():
                rates = [int(text.rstrip("↗→↘")) for text in self.column(2)]
                return len(rates) == 25 and len(set(self.ids())) == 25 and rates == ordered(rates) and (rates[0] > 150) == (direction == "descending")
            eventually(is_ordered, f"rates {direction}")
        self.browser.click("th[data-sort=readings] button")
        eventually(lambda: {HOSTILE, ".."} <= set(self.ids()[:2]), "those with the most readings first")
        self.assertEqual(self.browser.all("th[data-sort=heart_rate][aria-sort]"), [])

    def test_search(self):
        self.overview()
        self.browser.one("#search").send_keys("CUST_0999")
        self.shown("1–9 of 9")
        self.assertEqual(self.ids(), [f"cust_{number:05}" for number in range(9990, 9999)])
        self.browser.one("#search").clear()
        self.browser.one("#search").send_keys("%_'\"nobody")
        self.shown("No customer matches.")
        self.assertEqual(self.ids(), [])
        # What was searched for is kept in the address: a reload shows the same.
        self.overview("?search=onerror")
        self.shown("1–1 of 1")
        self.assertEqual(self.ids(), [HOSTILE])

    def test_statuses(self):
        self.overview()
        self.pipeline.run("""
            INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at, readings, reason)
            SELECT customer_id, 'signal loss', 'medium', 'medium', now(), now(), now(), 0, 'no reading for 12 s'
              FROM customers WHERE customer_id BETWEEN 'cust_00100' AND 'cust_00119'""")
        self.addCleanup(self.pipeline.run, "DELETE FROM episodes")

        def silent():
            # Some of those who were read in have been silent since, too.
            count = "SELECT count(DISTINCT customer_id) FROM episodes WHERE kind = 'signal loss' AND closed_at IS NULL"
            return f"no signal {self.pipeline.run(count).fetchone()[0]}"

        eventually(lambda: silent() in self.browser.text("#statuses"), "the filters")

        def chosen():
            # A count that grows moves the buttons, and the pointer may be above another one then: people press again.
            self.browser.click("#statuses [data-status='no signal']")
            return self.browser.texts("#statuses [aria-pressed=true]")[0].startswith("no signal")

        eventually(chosen, "the filter")
        eventually(lambda: set(self.column(3)) == {"no signal"},
                   lambda: f"customers without signal alone, not {self.column(3)} of {self.browser.texts('#statuses button')}")
        eventually(lambda: self.browser.texts("#statuses [aria-pressed=true]") == [silent()], "the filter that is on")

    def test_a_hostile_id_is_just_a_name(self):
        self.overview("?search=onerror")
        self.browser.click("#customers tbody a")
        self.browser.wait_text("#customer-id", HOSTILE)
        self.browser.wait_quiet()
        eventually(lambda: HOSTILE in self.browser.one("#chart").get_attribute("aria-label"), "the chart's description")
        self.assertEqual(self.browser.title(), f"{HOSTILE} · heartbeat")
        self.assertEqual(self.browser.all("main img"), [])
        self.browser.screenshot("customer-hostile")

    def test_csv_is_what_the_page_shows_and_what_the_database_has(self):
        for query, who in (("%3Cimg%20src%3Dx%20onerror%3Dalert(1)%3E", HOSTILE), ("..", "..")):
            with self.subTest(who):
                self.person(query)
                self.range(NOW - dt.timedelta(minutes=8), NOW - dt.timedelta(minutes=2))
                eventually(lambda: self.figure("Readings") == "360", "six minutes of readings")
                stored = self.pipeline.rows("""
                    SELECT recorded_at, heart_rate, is_anomaly, coalesce(anomaly_reason, '') FROM heart_rate_readings
                     WHERE customer_id = %s AND recorded_at >= %s AND recorded_at < %s ORDER BY recorded_at""",
                    who, NOW - dt.timedelta(minutes=8), NOW - dt.timedelta(minutes=2))
                with urllib.request.urlopen(self.browser.one("#csv").get_attribute("href")) as answer:
                    lines = list(csv.DictReader(io.TextIOWrapper(answer, "utf-8", newline="")))
                self.assertEqual([(dt.datetime.fromisoformat(line["recorded_at"]), int(line["heart_rate"]),
                                   line["is_anomaly"] == "true", line["anomaly_reason"]) for line in lines], stored)
                self.assertEqual(self.figure("Anomalies"), str(sum(row[2] for row in stored)))
                self.assertEqual(len(self.browser.all("#anomalies tbody tr")), sum(row[2] for row in stored))
                self.assertEqual(sum(self.browser.points()), 360)

    def figure(self, name):
        return self.browser.card(name)

    def range(self, start, end):
        """Fills in the two fields, in the viewer's zone, and asks for that."""
        zone = dt.timezone(dt.timedelta(hours=5, minutes=30))
        for field, when in (("from", start), ("until", end)):
            self.browser.script("""
                const field = document.getElementById(arguments[0]);
                field.value = arguments[1];
                field.dispatchEvent(new Event("input", {bubbles: true}))""", field,
                                when.astimezone(zone).strftime("%Y-%m-%dT%H:%M:%S"))
        self.browser.click("#range-form button")

    def test_ranges_of_one_customer(self):
        self.person("..")
        span = "const x = Chart.getChart('chart').scales.x; return Math.round((x.max - x.min) / 60000)"
        for minutes in (60, 1440, 15):
            self.browser.click(f"#presets [data-minutes='{minutes}']")
            eventually(lambda: self.browser.script(span) == minutes, f"{minutes} minutes")
        self.range(NOW, NOW - dt.timedelta(minutes=1))
        self.browser.wait_text("#range-error", "The end must be after the start.")

    def test_an_unknown_customer(self):
        self.browser.open("/customer?customer_id=nobody")
        self.browser.wait_text("#now", "No customer has this id.")

    def test_by_keyboard(self):
        self.overview()
        def press(key):
            return ActionChains(self.browser.driver).send_keys(key).perform()
        press(Keys.TAB)
        self.assertEqual(self.browser.script("return document.activeElement.className"), "skip")
        press(Keys.ENTER)
        eventually(lambda: self.browser.script("return document.activeElement.id") == "main", "the content has the focus")
        for _ in range(60):
            press(Keys.TAB)
            if self.browser.script("return document.activeElement.closest('th[data-sort=heart_rate]') !== null"):
                break
        self.assertNotEqual(self.browser.script("return getComputedStyle(document.activeElement).outlineStyle"), "none")
        press(Keys.ENTER)
        eventually(lambda: self.browser.one("th[data-sort=heart_rate]").get_attribute("aria-sort") == "descending", "sorted")

    def test_dark_and_light(self):
        for dark in (False, True):
            self.browser.look(dark=dark)
            self.person("..")
            parts = self.browser.script(
                "return getComputedStyle(document.body).backgroundColor.match(/\\d+/g).slice(0, 3).map(Number)")
            self.assertEqual(sum(parts) < 300, dark)
            # A chart that is there already follows when the system changes.
            axis = "return Chart.getChart('chart').options.scales.x.ticks.color"
            before = self.browser.script(axis)
            self.browser.look(dark=not dark)
            eventually(lambda: self.browser.script(axis) != before, "the chart's other colours")

    def test_every_page_for_everybody(self):
        """WCAG 2.2 A and AA by axe-core, and no page wider than its window, down to 320 px."""
        for dark in (False, True):
            for width in (1440, 320):
                # Calm, since a fading text has less contrast for half a second.
                self.browser.look(dark=dark, width=width, calm=True)
                for name, load in (("overview", lambda: self.overview("?limit=10")), ("customer", lambda: self.person(".."))):
                    with self.subTest(page=name, dark=dark, width=width):
                        load()
                        self.browser.script("document.querySelectorAll('details').forEach(each => each.open = true)")
                        self.assertEqual(self.browser.violations(), [])
                        self.assertLessEqual(self.browser.script("return document.documentElement.scrollWidth"), width)
                        self.browser.screenshot(f"{name}-{'dark' if dark else 'light'}-{width}")
        self.browser.click("#pause")
        self.browser.wait_text("#notices strong", "Paused since")
        self.assertEqual(self.browser.violations(), [])


if __name__ == "__main__":
    unittest.main()
