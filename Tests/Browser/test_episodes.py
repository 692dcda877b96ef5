"""Episodes on the page: they come, get worse, are acknowledged, close, and stand on the customer's chart."""
import unittest

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from browser import Browser
from pipeline import Pipeline, eventually

HOSTILE = "<img src=x onerror=alert(1)>"
REASON = "bpm 185 to 201 for 94 s, limit <b onclick=alert(2)>180</b>"
NAMES = ["cust_0001", "cust_0002", "cust_0003", HOSTILE]


class Episodes(unittest.TestCase):
    """Rows as the consumer leaves them are stored by statements, so that each test says which episodes there are."""

    @classmethod
    def setUpClass(cls):
        cls.pipeline = cls.enterClassContext(Pipeline())
        cls.seed()
        cls.pipeline.start_dashboard(DASHBOARD_STALE_SECONDS="86400")
        cls.browser = Browser(cls.pipeline.address)
        cls.addClassCleanup(cls.browser.close)

    @classmethod
    def seed(cls):
        """Ten minutes of each customer, one reading a second."""
        run = cls.pipeline.run
        run("SELECT create_readings_partition((now() AT TIME ZONE 'UTC')::date - d) FROM generate_series(-1, 1) AS d")
        run("""INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly)
               SELECT name, now() - make_interval(secs => s), 70 + (s / 20) %% 9, false
                 FROM unnest(%s::text[]) AS name, generate_series(0, 600) AS s""", NAMES)
        run("INSERT INTO customers SELECT DISTINCT customer_id FROM heart_rate_readings")
        run("""INSERT INTO customer_state (customer_id, recorded_at, heart_rate, is_anomaly, readings, anomalies)
               SELECT customer_id, max(recorded_at), 70, false, count(*), 0 FROM heart_rate_readings GROUP BY 1""")
        run("""INSERT INTO kafka_offsets (cluster_id, topic, partition, first_offset, next_offset, readings)
               SELECT 'c', 'heartbeat', 0, 0, count(*), count(*) FROM heart_rate_readings""")
        run("INSERT INTO customer_limits VALUES ('cust_0003', 45, 160)")

    def setUp(self):
        self.pipeline.run("DELETE FROM episodes")
        self.browser.look()

    def tearDown(self):
        self.assertEqual(self.browser.errors(), [])

    def episode(self, who, kind, severity, since, until=None, worst=None, by=None, reason=REASON):
        """One that opened and closed this many seconds ago. Answers its number."""
        return self.pipeline.run("""
            INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at, closed_at,
                                  extreme_heart_rate, readings, reason, acknowledged_by, acknowledged_at)
            SELECT %s, %s, %s, %s, t, t + interval '1 s', t + interval '1 s', now() - make_interval(secs => %s), 201, 40, %s,
                   %s, CASE WHEN %s::text IS NULL THEN NULL ELSE now() END
              FROM (SELECT now() - make_interval(secs => %s) AS t) AS opened RETURNING episode_id""",
            who, kind, severity, worst or severity, until, reason, by, by, since).fetchone()[0]

    def overview(self):
        """The overview as a browser has it that nobody has used before."""
        self.browser.open()
        self.browser.script("localStorage.clear()")
        self.browser.open()
        self.browser.wait_quiet()
        self.browser.script("window.sameDocument = true")

    def rows(self, part="episodes"):
        """What each row says, from left to right."""
        return self.browser.script("""
            return Array.from(document.querySelectorAll(`#${arguments[0]} > li`), row => Array.from(row.children, part =>
                Array.from(part.querySelectorAll("a, span, time, button"), each => each.textContent).join("|") || part.textContent))""",
                                   part)

    def shown(self, wanted, part="episodes"):
        """Waits until just these rows are there: (severity, who)."""
        def found():
            return [(row[0], row[1]) for row in self.rows(part)]
        return eventually(lambda: found() == wanted, lambda: f"{wanted} in #{part}, not {found()}")

    def noted(self, number):
        return self.pipeline.rows("SELECT acknowledged_by FROM episodes WHERE episode_id = %s", number)[0][0]

    def press(self, *keys):
        for key in keys:
            ActionChains(self.browser.driver).send_keys(key).perform()

    def test_an_episode_from_its_start_to_its_end(self):
        browser = self.browser
        self.overview()
        browser.wait_text("#episodes-empty", "No episodes so far.")
        eventually(lambda: browser.card("Open episodes") == "0", "none in the cards")
        first = self.episode("cust_0001", "deviation", "low", 20)
        self.shown([("Low", "cust_0001|deviation")])
        self.assertFalse(browser.one("#episodes-empty").is_displayed())
        self.assertEqual(browser.text("#episodes-spoken"), "")
        second = self.episode("cust_0002", "tachycardia", "medium", 10)
        self.shown([("Medium", "cust_0002|tachycardia"), ("Low", "cust_0001|deviation")])
        # It gets worse: then it is red, and said once.
        self.pipeline.run("UPDATE episodes SET severity = 'high', worst_severity = 'high' WHERE episode_id = %s", first)
        self.shown([("High", "cust_0001|deviation"), ("Medium", "cust_0002|tachycardia")])
        browser.wait_text("#episodes-spoken", "High: deviation, cust_0001, since ")
        self.assertEqual(len(browser.all("#episodes .needed")), 1)
        self.assertEqual(browser.text("#episodes-count"), "1 high, 1 medium")
        eventually(lambda: browser.card("Open episodes") == "2", "two in the cards")
        def age():
            return self.rows()[0][3]
        before = age()
        eventually(lambda: age() != before, "an age that keeps running")
        self.pipeline.run("UPDATE episodes SET closed_at = now() WHERE episode_id = %s", first)
        self.shown([("Medium", "cust_0002|tachycardia")])
        self.shown([("High", "cust_0001|deviation")], "closed")
        self.assertEqual(self.rows("closed")[0][4], "not acknowledged")
        self.assertEqual(browser.all(".needed"), [])
        self.pipeline.run("UPDATE episodes SET closed_at = now() WHERE episode_id = %s", second)
        self.shown([("Medium", "cust_0002|tachycardia"), ("High", "cust_0001|deviation")], "closed")
        browser.wait_text("#episodes-empty", "No open episodes. The last one closed at")
        self.assertTrue(browser.script("return window.sameDocument"))

    def test_acknowledged_by_a_click(self):
        browser = self.browser
        number, other = (self.episode("cust_0001", "tachycardia", "high", age) for age in (90, 30))
        self.overview()
        eventually(lambda: len(self.rows()) == 2, "two rows")
        self.assertFalse(browser.one("#who-change").is_displayed())
        browser.click("#episodes li:first-child button")
        self.assertTrue(browser.one("#who").is_displayed())
        browser.click("#who [type=button]")
        self.assertFalse(browser.one("#who").is_displayed())
        browser.click("#episodes li:first-child button")
        browser.one("#who-name").send_keys("  Anna Ö. <i>")
        browser.click("#who [type=submit]")
        eventually(lambda: self.noted(number) == "Anna Ö. <i>", "the name in the database")
        # Now it comes after the one that nobody has looked at.
        eventually(lambda: [row[4].split(",")[0] for row in self.rows()] == ["Acknowledge", "✓ Anna Ö. <i>"], "who did, below")
        self.assertEqual(browser.text("#who-change"), "You are Anna Ö. <i>")
        # The name is asked for once.
        browser.click("#episodes li:first-child button")
        eventually(lambda: self.noted(other) == "Anna Ö. <i>", "the second one")
        self.assertFalse(browser.one("#who").is_displayed())
        eventually(lambda: browser.all("#episodes .needed") == [], "nothing red any more")

    def test_acknowledged_by_keyboard(self):
        number = self.episode("cust_0001", "bradycardia", "high", 90)
        self.overview()
        eventually(lambda: len(self.rows()) == 1, "a row")
        self.assertEqual(self.browser.one("#episodes button").accessible_name, "Acknowledge bradycardia of cust_0001")
        for _ in range(20):
            self.press(Keys.TAB)
            if self.browser.script("return document.activeElement.closest('#episodes') && document.activeElement.tagName === 'BUTTON'"):
                break
        # Others come before it: the focus stays where it was.
        self.episode("cust_0002", "bradycardia", "high", 200)
        eventually(lambda: len(self.rows()) == 2, "two rows")
        self.press(Keys.ENTER)
        eventually(lambda: self.browser.script("return document.activeElement.id") == "who-name", "the question has the focus")
        self.press("Bob", Keys.ENTER)
        eventually(lambda: self.noted(number) == "Bob", "the name in the database")
        eventually(lambda: self.browser.script("return document.activeElement.textContent").startswith("✓ Bob"), "the focus on what came of it")

    def test_who_was_slower_is_told(self):
        number = self.episode("cust_0001", "tachycardia", "high", 90)
        self.overview()
        self.browser.script("localStorage.setItem('acknowledges', 'Anna')")
        self.browser.open()
        eventually(lambda: len(self.rows()) == 1, "a row")
        # As long as the viewer has paused, the page does not see that somebody else has done it.
        self.browser.click("#pause")
        self.pipeline.run("SELECT acknowledge_episode(%s, 'Carl')", number)
        self.browser.click("#episodes button")
        self.browser.wait_text("#episodes-error", "Not acknowledged: Carl acknowledged it before")
        self.assertEqual(self.noted(number), "Carl")

    def test_ids_and_reasons_are_just_text(self):
        self.episode(HOSTILE, "tachycardia", "high", 60)
        self.episode(HOSTILE, "bradycardia", "low", 300, 200)
        self.overview()
        self.shown([("High", f"{HOSTILE}|tachycardia")])
        self.shown([("Low", f"{HOSTILE}|bradycardia")], "closed")
        self.assertEqual(self.rows()[0][2], REASON)
        self.browser.click("#episodes a")
        self.browser.wait_text("#customer-id", HOSTILE)
        eventually(lambda: len(self.rows()) == 2, "both in the customer's list")
        self.assertEqual(self.browser.all("main img, main b"), [])

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

    def test_very_many_open_ones(self):
        self.pipeline.run("""
            INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at, readings, reason)
            SELECT 'c' || n, 'signal loss', 'medium', 'medium', now(), now(), now(), 0, 'no reading for 12 s'
              FROM generate_series(1, 400) AS n""")
        self.overview()
        self.browser.wait_text("#episodes-more", "The 50 worst of 400 are shown.")
        self.assertEqual(len(self.rows()), 50)

    def person(self, who):
        self.browser.open(f"/customer?customer_id={who}")
        self.browser.wait_quiet()
        eventually(lambda: self.browser.all("#figures .card"), "the figures of the range")

    def test_a_customers_own_page(self):
        browser = self.browser
        self.episode("cust_0003", "bradycardia", "high", 500, 400, by="Anna")
        self.episode("cust_0003", "signal loss", "medium", 30)
        self.episode("cust_0003", "tachycardia", "high", 90_000, 80_000)
        self.person("cust_0003")
        eventually(lambda: len(self.rows()) == 2, "the two of this range")
        self.assertEqual(browser.text("#limits"), "Own limits for episodes: 45 to 160 bpm, instead of 40 to 180.")
        # Nothing comes from there any more, so there is no current rate.
        browser.wait_text("#now", "silent")
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
        """WCAG 2.2 A and AA by axe-core, no page wider than its window and no text wider than its place, with every kind
        of row."""
        self.episode("cust_0001", "tachycardia", "high", 94)
        self.episode(HOSTILE, "bradycardia", "high", 400, by="Anna Lindqvist-Oppenheimer the Elder", reason="bpm 31 to 38 for 94 s, limit 40")
        self.episode("cust_0002", "tachycardia", "medium", 500, worst="high", reason="bpm 133 to 184 for 480 s, limit 131")
        self.episode("cust_0003", "signal loss", "medium", 25, reason="no reading for 25 s, usually one each 1.0 s")
        self.episode("cust_0003", "deviation", "low", 130, reason="+38 over the usual 62")
        self.episode("cust_0003", "bradycardia", "high", 560, 440, by="Anna", reason="bpm 31 to 38 for 94 s, limit 40")
        self.episode("cust_0003", "tachycardia", "medium", 300, 150, reason="bpm 133 to 150 for 100 s, limit 131")
        for dark in (False, True):
            for width in (1440, 320):
                # Calm, since a fading text has less contrast for half a second.
                self.browser.look(dark=dark, width=width, calm=True)
                for name, load in (("overview", self.overview), ("customer", lambda: self.person("cust_0003"))):
                    with self.subTest(page=name, dark=dark, width=width):
                        load()
                        eventually(lambda: len(self.rows()) >= 4, "the episodes")
                        self.assertEqual(self.browser.violations(), [])
                        self.assertLessEqual(self.browser.script("return document.documentElement.scrollWidth"), width)
                        self.assertEqual(self.browser.script("""
                            return [...document.querySelectorAll(".episode > *")]
                                .filter((cell) => cell.scrollWidth > cell.clientWidth).map((cell) => cell.textContent)"""), [])
                        self.browser.screenshot(f"episodes-{name}-{'dark' if dark else 'light'}-{width}")
        self.overview()
        eventually(lambda: self.rows(), "the episodes")
        self.browser.click("#episodes button")
        self.assertEqual(self.browser.violations(), [])
        self.browser.screenshot("episodes-name")


if __name__ == "__main__":
    unittest.main()
