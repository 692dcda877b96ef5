"""Customers and episodes as the consumer leaves them, stored by statements, so that each test says which there are."""
import unittest

from selenium.webdriver.common.action_chains import ActionChains

from browser import Browser
from pipeline import Pipeline, eventually

HOSTILE = "<img src=x onerror=alert(1)>"
REASON = "bpm 185 to 201 for 94 s, limit <b onclick=alert(2)>180</b>"
NAMES = ["cust_0001", "cust_0002", "cust_0003", HOSTILE]


class EpisodeCase(unittest.TestCase):
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
        self.pipeline.run("DELETE FROM customer_state WHERE customer_id LIKE 'c____'")
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

    def change(self, number, change):
        """What the consumer changes of an episode."""
        self.pipeline.run(f"UPDATE episodes SET {change} WHERE episode_id = %s", number)

    def crowd(self, count, severity="high", kind="tachycardia"):
        """So many customers c0001, c0002, ... each with an open episode, the last one raised last."""
        self.pipeline.run("""
            INSERT INTO customer_state (customer_id, recorded_at, heart_rate, is_anomaly, readings, anomalies)
            SELECT 'c' || lpad(n::text, 4, '0'), now(), 100 + n %% 90, false, 1, 0 FROM generate_series(1, %s) AS n
                ON CONFLICT DO NOTHING""", count)
        self.pipeline.run("""
            INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at, readings, reason)
            SELECT 'c' || lpad(n::text, 4, '0'), %s, %s, %s, now(), now(), now(), 9, 'bpm 131 to 150 for 19 s, limit 130'
              FROM generate_series(1, %s) AS n""", kind, severity, severity, count)
        self.pipeline.run("UPDATE episodes SET alarmed_at = now() - interval '1 h' + episode_id * interval '1 ms'")

    def overview(self, name=None):
        """The overview as a browser has it that nobody has used before, or somebody of this name."""
        self.browser.open()
        self.browser.script("localStorage.clear(); if (arguments[0]) localStorage.setItem('acknowledges', arguments[0])", name)
        self.browser.open()
        self.browser.wait_quiet()
        self.browser.script("window.sameDocument = true")

    def person(self, who):
        self.browser.open(f"/customer?customer_id={who}")
        self.browser.wait_quiet()
        eventually(lambda: self.browser.all("#figures .card"), "the figures of the range")

    def people(self, section="now"):
        """Who is in a section of the list: (customer, status)."""
        return [tuple(row) for row in self.browser.script("""
            return Array.from(document.querySelectorAll(`#people-${arguments[0]} > li`), row => [
                row.querySelector("a").textContent, row.querySelector(".status").textContent])""", section)]

    def shown(self, wanted, section="now"):
        """Waits until just these people are there."""
        return eventually(lambda: self.people(section) == wanted,
                          lambda: f"{wanted} in {section}, not {self.people(section)}")

    def row(self, who):
        """All that a customer's row says."""
        return self.browser.script("""
            return Array.from(document.querySelectorAll("#people li.person")).find(each => each.dataset.customer === arguments[0])
                ?.textContent ?? null""", who)

    def rows(self, part):
        """What each row of a list of episodes says, from left to right."""
        return self.browser.script("""
            return Array.from(document.querySelectorAll(`#${arguments[0]} > li`), row => Array.from(row.children, part =>
                Array.from(part.querySelectorAll("a, span, time, button"), each => each.textContent).join("|") || part.textContent))""",
                                   part)

    def noted(self, number):
        return self.pipeline.rows("SELECT acknowledged_by FROM episodes WHERE episode_id = %s", number)[0][0]

    def press(self, *keys):
        for key in keys:
            ActionChains(self.browser.driver).send_keys(key).perform()

    def calm_hand(self):
        """Nobody has touched the list for a while, and no row has moved."""
        self.browser.driver.execute_async_script("setTimeout(arguments[0], 2800)")
