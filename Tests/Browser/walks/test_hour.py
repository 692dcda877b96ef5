"""Whether memory stays flat: an hour in fast motion in which alarms come, change and go, with all live pages open."""
import os
import time
import unittest

from browser import Browser
from episodes import EpisodeCase
from pipeline import bench, eventually

LONG = os.environ.get("HEARTBEAT_TEST_LONG") == "1"
MINUTES = int(os.environ.get("HEARTBEAT_TEST_MINUTES", "60"))


@unittest.skipUnless(LONG, "takes half an hour: HEARTBEAT_TEST_LONG=1")
class Hour(EpisodeCase):
    """Each second of it takes half of one, or longer on a slow machine: what there is depends on their number alone."""

    CUSTOMERS, OPEN, CHANGES = 2000, 677, 10
    # Each page by what is there when it is live.
    PAGES = {"/": "#people li.person", "/wall": "#tiles .tile", "/customer?customer_id=cust_0001": "#figures .card",
             "/operations": ".card"}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.pages = {path: Browser(cls.pipeline.address) for path in cls.PAGES}
        for browser in cls.pages.values():
            cls.addClassCleanup(browser.close)

    def second(self, number):
        """What a consumer would write in a second: new rates of all, and some episodes that open, change and close."""
        run = self.pipeline.run
        run("""
            UPDATE customer_state SET recorded_at = now(), heart_rate = 50 + (random() * 100)::int, readings = readings + 1
             WHERE customer_id LIKE 'c____'""")
        run("""
            INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly)
            VALUES ('cust_0001', now(), 60 + (random() * 40)::int, false)""")
        run("""
            UPDATE customer_state SET recorded_at = now(), heart_rate = 60 + (random() * 40)::int, readings = readings + 1
             WHERE customer_id = 'cust_0001'""")
        run("UPDATE kafka_offsets SET next_offset = next_offset + %s, readings = readings + %s, updated_at = now()",
            self.CUSTOMERS, self.CUSTOMERS)
        run("""
            UPDATE episodes SET closed_at = now()
             WHERE episode_id IN (SELECT episode_id FROM episodes WHERE closed_at IS NULL ORDER BY random() LIMIT %s)""",
            self.CHANGES)
        run("""
            UPDATE episodes SET severity = 'high', worst_severity = 'high', alarmed_at = now()
             WHERE episode_id IN (SELECT episode_id FROM episodes WHERE closed_at IS NULL AND severity <> 'high'
                                   ORDER BY random() LIMIT %s)""", self.CHANGES // 2)
        run("""
            INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at, readings, reason)
            SELECT customer_id, kind, severity, severity, now(), now(), now(), 9, 'bpm 131 to 150 for 19 s, limit 130'
              FROM (SELECT customer_id, (ARRAY['tachycardia', 'bradycardia', 'signal loss'])[1 + %s %% 3]::episode_kind AS kind,
                           (ARRAY['high', 'medium', 'low'])[1 + (random() * 2)::int]::episode_severity AS severity
                      FROM customer_state s
                     WHERE customer_id LIKE 'c____'
                       AND NOT EXISTS (SELECT FROM episodes e WHERE e.customer_id = s.customer_id AND closed_at IS NULL)
                     ORDER BY random() LIMIT %s) AS chosen""", number, self.CHANGES)
        # Always as many that ended and were not seen.
        run("""
            DELETE FROM episodes WHERE episode_id IN (
                SELECT episode_id FROM episodes WHERE closed_at IS NOT NULL ORDER BY closed_at DESC, episode_id OFFSET 500)""")

    def sample(self):
        """What the pages and the dashboard take at this moment, without what is garbage."""
        found = {}
        for path, browser in self.pages.items():
            command = browser.driver.execute_cdp_cmd
            command("HeapProfiler.collectGarbage", {})
            metrics = {each["name"]: each["value"] for each in command("Performance.getMetrics", {})["metrics"]}
            found[f"{path}: heap, MB"] = metrics["JSHeapUsedSize"] / 1e6
            found[f"{path}: nodes"] = metrics["Nodes"]
            found[f"{path}: listeners"] = metrics["JSEventListeners"]
        pid = self.pipeline.daemons["dashboard"].process.pid
        found["dashboard: memory, MB"] = bench.memory_mb(pid, "VmRSS")
        found["dashboard: open files"] = len(os.listdir(f"/proc/{pid}/fd"))
        found["dashboard: threads"] = len(os.listdir(f"/proc/{pid}/task"))
        return found

    def test_memory(self):
        self.pipeline.run("""
            INSERT INTO customer_state (customer_id, recorded_at, heart_rate, is_anomaly, readings, anomalies)
            SELECT 'c' || lpad(n::text, 4, '0'), now(), 70, false, 1, 0 FROM generate_series(1, %s) AS n""", self.CUSTOMERS)
        self.pipeline.run("INSERT INTO customers SELECT customer_id FROM customer_state ON CONFLICT DO NOTHING")
        self.crowd(self.OPEN)
        for path, browser in self.pages.items():
            browser.driver.execute_cdp_cmd("Performance.enable", {})
            browser.open(path)
            eventually(lambda: browser.all(self.PAGES[path]), f"{path} live")
        self.pages["/"].click("#sound")
        begin, samples = time.monotonic(), []
        for number in range(1, MINUTES * 60 + 1):
            self.second(number)
            if number % MINUTES == 0:
                samples.append(self.sample())
            time.sleep(max(0, begin + number / 2 - time.monotonic()))
        # The first quarter fills caches and the rings of charts.
        quarter = len(samples) // 4
        mean = {name: [sum(each[name] for each in part) / len(part)
                       for part in (samples[quarter:2 * quarter], samples[-quarter:])] for name in samples[0]}
        grown = []
        for name, (early, late) in mean.items():
            print(f"{name}: {early:.1f} in the second quarter, {late:.1f} in the last, {samples[-1][name]:.1f} at the end")
            if late > 1.1 * early + 1:
                grown.append(name)
        self.assertEqual(grown, [])


if __name__ == "__main__":
    unittest.main()
