"""The pages as they live: from the first reading, through outages, and back."""
import datetime as dt
import signal
import unittest

from selenium.common.exceptions import NoAlertPresentException

from browser import Browser
from pipeline import Pipeline, eventually


class Live(unittest.TestCase):
    """Each test leaves the pipeline working, with six customers who send once a second."""

    @classmethod
    def setUpClass(cls):
        cls.pipeline = cls.enterClassContext(Pipeline())
        cls.pipeline.start("consumer")
        cls.pipeline.start_dashboard()
        cls.browser = Browser(cls.pipeline.address)
        cls.addClassCleanup(cls.browser.close)
        cls.first_data()

    @classmethod
    def first_data(cls):
        """Before the first reading the page says what it is waiting for; then the reading appears, without a reload."""
        browser = cls.browser
        browser.open("/operations")
        browser.script("window.sameDocument = true")
        browser.wait_text("#notices", "Waiting for the first reading.")
        browser.wait_text("#notices", "systemctl start heartbeat-producer")
        browser.screenshot("waiting")
        cls.pipeline.start("producer", NUM_CUSTOMERS="6", INTERVAL_SECONDS="1")
        eventually(lambda: browser.card("Customers") == "6", "six customers in the cards")
        browser.wait_quiet()
        assert browser.script("return window.sameDocument")

    def setUp(self):
        self.browser.look()
        self.browser.open("/operations")
        self.browser.wait_quiet()

    def tearDown(self):
        self.assertEqual(self.browser.errors(), [])

    def readings(self):
        return int(self.browser.card("Readings").replace(",", ""))

    def grow(self):
        """Waits until a number of the page has changed."""
        before = self.readings()
        eventually(lambda: self.readings() > before, f"more than {before} readings")

    def test_values_change_and_the_chart_grows(self):
        browser = self.browser
        eventually(lambda: len(browser.points()) == 6 and min(browser.points()) > 1, "six lines")
        before = sum(browser.points())
        eventually(lambda: sum(browser.points()) >= before + 6, "more points on the chart")
        self.grow()
        stored = self.pipeline.rows("SELECT count(*) FROM heart_rate_readings")[0][0]
        eventually(lambda: self.readings() >= stored, "as many readings as are stored")
        browser.screenshot("live-light")

    def test_range_of_the_chart(self):
        browser = self.browser
        span = "const x = Chart.getChart('chart').scales.x; return Math.round((x.max - x.min) / 60000)"
        for minutes in (1, 15, 60, 5):
            browser.click(f"#chart-minutes [data-minutes='{minutes}']")
            eventually(lambda: browser.script(span) == minutes and sum(browser.points()) > 0, f"{minutes} minutes")
        self.assertEqual(browser.texts("#chart-minutes [aria-pressed=true]"), ["5 min"])

    def test_chart_in_words(self):
        browser = self.browser
        eventually(lambda: "cust_0001" in browser.one("#chart").get_attribute("aria-label"), "the chart's description")
        browser.click(".as-table summary")
        eventually(lambda: len(browser.all("#chart-table tbody tr")) == 6, "six rows")

    def test_pause_and_resume(self):
        browser = self.browser
        browser.click("#pause")
        browser.wait_text("#notices strong", "Paused since")
        self.assertEqual(browser.text("#pause"), "Resume")
        paused = self.readings()
        stored = self.pipeline.rows("SELECT count(*) FROM heart_rate_readings")[0][0] + 12
        eventually(lambda: self.pipeline.rows("SELECT count(*) FROM heart_rate_readings")[0][0] > stored, "more stored")
        self.assertEqual(self.readings(), paused)
        self.assertIn("not-current", browser.one("body").get_attribute("class"))
        browser.screenshot("paused")
        browser.click("#pause")
        eventually(lambda: self.readings() > paused, "current numbers after the pause")
        browser.wait_quiet()

    def test_a_silent_stream_is_told_and_comes_back(self):
        browser, dashboard = self.browser, self.pipeline.daemons["dashboard"]
        dashboard.send(signal.SIGSTOP)
        try:
            browser.wait_text("#notices strong", "The connection to the dashboard has been cut since")
            browser.screenshot("cut")
            self.assertIn("not-current", browser.one("body").get_attribute("class"))
            self.assertEqual(browser.texts(".health-name")[0], "Connection cut")
        finally:
            dashboard.send(signal.SIGCONT)
        browser.wait_quiet()
        self.grow()

    def test_a_restarted_dashboard_is_found_again(self):
        browser = self.browser
        browser.script("window.sameDocument = true")
        self.pipeline.stop("dashboard")
        browser.wait_text("#notices strong", "The connection to the dashboard has been cut since")
        self.pipeline.start_dashboard()
        browser.wait_quiet()
        self.grow()
        self.assertTrue(browser.script("return window.sameDocument"))

    def test_database_away_and_back(self):
        browser = self.browser
        self.pipeline.postgres("stop", "-m", "immediate")
        try:
            browser.wait_text("#notices strong", "The database has been unreachable")
            browser.wait_text(".health", "waiting for PostgreSQL")
            self.assertIn("not-current", browser.one("body").get_attribute("class"))
            last = self.readings()
            self.assertGreater(last, 0)
            browser.screenshot("database-unreachable")
        finally:
            self.pipeline.postgres("start")
        browser.wait_quiet()
        eventually(lambda: self.readings() > last, "new readings after the outage")

    def test_all_data_stop(self):
        """D7, D14: an alarm, since one moment that never goes back, also while signal losses are found; a daemon that was
        seen here is told as stopped."""
        browser = self.browser
        self.pipeline.stop("producer")
        try:
            browser.wait_text("#notices strong", "No new reading of anybody since")
            self.assertIn("The producer was stopped at", browser.text("#notices"))
            eventually(lambda: browser.title().startswith("⚠ "), "the alarm in the title")
            self.assertIn("not-current", browser.one("body").get_attribute("class"))
            self.assertIn("stopped at", browser.text(".health"))
            self.assertIn("old", browser.script("""
                return Array.from(document.querySelectorAll(".card")).find(e => e.textContent.startsWith("Last reading")).className"""))
            browser.screenshot("stale")
            told = browser.notices().split(" (")[0]
            lost = "SELECT count(*) FROM episodes WHERE kind = 'signal loss' AND closed_at IS NULL"
            eventually(lambda: self.pipeline.rows(lost)[0][0] == 6, "six signal losses")
            for _ in range(50):
                self.assertEqual(browser.texts(".health-name")[0], "No new readings")
                self.assertEqual(browser.notices().split(" (")[0], told)
        finally:
            self.pipeline.start("producer", NUM_CUSTOMERS="6", INTERVAL_SECONDS="1")
        browser.wait_quiet()

    def test_a_consumer_that_is_stopped_is_told(self):
        self.grow()
        self.pipeline.stop("consumer")
        try:
            self.browser.wait_text(".health", "stopped at")
            self.browser.wait_text("#notices", "The consumer was stopped at")
        finally:
            self.pipeline.start("consumer")
        self.browser.wait_quiet()

    def test_words_for_nurses_and_words_for_operators(self):
        """What the database's client says is on the page for operations alone."""
        self.pipeline.postgres("stop", "-m", "immediate")
        try:
            self.browser.wait_text("#database-error", "What the database's client says: ")
            self.browser.open("/")
            self.browser.wait_text("#notices strong", "The database has been unreachable")
            for word in ("socket", "libpq", "connection to server"):
                self.assertNotIn(word, self.browser.text("body"))
        finally:
            self.pipeline.postgres("start")
        self.browser.wait_quiet()

    def test_times_in_the_viewers_zone_or_in_utc(self):
        browser = self.browser
        hostile = "<img src=x onerror=alert(1)>"
        at = dt.datetime.now(dt.UTC) + dt.timedelta(seconds=2)
        self.pipeline.publish([(hostile, at, 250)])
        local = (at + dt.timedelta(hours=5, minutes=30)).strftime("%H:%M:%S")
        eventually(lambda: hostile in browser.texts("#anomalies a"), "the anomaly of a hostile id")
        row = "return Array.from(document.querySelectorAll('.anomaly')).find(e => e.textContent.includes(arguments[0])).textContent"
        self.assertIn(local, browser.script(row, hostile))
        self.assertIn("tachycardia (bpm=250 > threshold=180)", browser.script(row, hostile))
        browser.click("#zone")
        self.assertIn(at.strftime("%H:%M:%S"), browser.script(row, hostile))
        self.assertEqual(browser.text("#zone-name"), "Times in UTC")
        browser.click("#zone")
        self.assertEqual(browser.all("main img"), [])
        with self.assertRaises(NoAlertPresentException):
            _ = browser.driver.switch_to.alert

    def test_nothing_moves_by_itself(self):
        """Numbers change; none fades, jumps or slides."""
        # What comes and goes, as a notice on a slow machine, may glide: then the height of something on the page has changed.
        self.browser.script("""
            window.moved = 0;
            const heights = () => Array.from(document.querySelectorAll("main > *, .foot"), each => each.getBoundingClientRect().height).join();
            let known = "";
            const look = () => { known = heights(); requestAnimationFrame(look); };
            look();
            const animate = Element.prototype.animate;
            Element.prototype.animate = function (...all) {
                if (heights() === known) window.moved += 1;
                return animate.apply(this, all);
            };""")
        self.grow()
        self.grow()
        self.assertEqual(self.browser.script("return window.moved"), 0)

    def test_first_view_is_small_and_all_from_here(self):
        """Everything that was transferred for the first view, answers of the interface too."""
        self.browser.driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
        self.addCleanup(self.browser.driver.execute_cdp_cmd, "Network.setCacheDisabled", {"cacheDisabled": False})
        self.browser.open()
        self.browser.wait_quiet()
        eventually(lambda: len(self.browser.all("#customers tbody tr")) >= 6, "the first view")
        first = {}
        for name, size in self.browser.script("""
                return [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")]
                    .map(each => [each.name, each.encodedBodySize])"""):
            self.assertTrue(name.startswith(self.pipeline.address + "/"), name)
            first.setdefault(name, size)
        # Every module is named in the page itself, so that none waits for another's text.
        modules = {name for name in first if name.endswith(".js") and not name.endswith("/overview.js")}
        self.assertEqual(modules, set(self.browser.script(
            "return Array.from(document.querySelectorAll('link[rel=modulepreload]'), each => each.href)")))
        self.assertLess(sum(first.values()), 80_000)
        self.assertGreater(sum(first.values()), 20_000)


if __name__ == "__main__":
    unittest.main()
