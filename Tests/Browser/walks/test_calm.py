"""A page that stays calm: nothing jumps while alarms come and go, and what is sent each second stays small."""
import http.client
import unittest
import zlib

from episodes import EpisodeCase
from pipeline import eventually

MOST_PLAIN, MOST_PACKED = 30_000, 5000  # bytes of an event


class Calm(EpisodeCase):
    def setUp(self):
        super().setUp()
        self.pipeline.run("DELETE FROM customer_state WHERE customer_id ~ '^cust_1'")

    def shifts(self):
        """How much of the page has jumped by itself, after the measure of Core Web Vitals: the worst five seconds."""
        return self.browser.script("""
            let worst = 0, sum = 0, start = 0, last = 0;
            for (const {value, startTime} of window.layoutShifts) {
                if (startTime - last > 1000 || startTime - start > 5000) { sum = 0; start = startTime; }
                last = startTime;
                sum += value;
                worst = Math.max(worst, sum);
            }
            return worst""")

    def watch_shifts(self):
        self.browser.script("""
            window.layoutShifts = [];
            new PerformanceObserver((list) => {
                for (const entry of list.getEntries()) {
                    if (entry.hadRecentInput) continue;
                    const of = ({node, previousRect: from, currentRect: to}) =>
                        `${node?.id || node?.className || node?.nodeName} ${from.x},${from.y} to ${to.x},${to.y}`;
                    window.layoutShifts.push({value: entry.value, startTime: entry.startTime, of: entry.sources.map(of)});
                }
            }).observe({type: "layout-shift"})""")

    def test_nothing_jumps(self):
        for path, width, height in (("/", 1440, 900), ("/", 390, 844), ("/wall", 1920, 1080), ("/customer?customer_id=cust_0001", 1440, 900)):
            with self.subTest(path=path, width=width):
                self.pipeline.run("DELETE FROM episodes")
                self.browser.look(width=width, height=height)
                self.browser.open(path)
                eventually(lambda: self.browser.all("#customers tbody tr, #tiles .tile, #figures .card"), "the page")
                self.browser.driver.execute_async_script("setTimeout(arguments[0], 3000)")
                self.watch_shifts()
                def seen(number):
                    if path.startswith("/customer"):
                        return True
                    return len(self.browser.all("#people-now > li, #needed .tile")) == number
                numbers = []
                for who in ("cust_0001", "cust_0002", "cust_0003"):
                    numbers.append(self.episode(who, "tachycardia", "high", 5))
                    eventually(lambda: seen(len(numbers)), f"{len(numbers)} need somebody")
                for count, number in enumerate(numbers, 1):
                    self.change(number, "closed_at = now(), unseen_severity = NULL")
                    eventually(lambda: seen(3 - count), f"{3 - count} need somebody")
                print(f"{path} at {width} px: layout shift {self.shifts():.4f}")
                jumps = self.browser.script("return window.layoutShifts.map(({value, of}) => `${value.toFixed(3)}: ${of.join('; ')}`)")
                self.assertLess(self.shifts(), 0.05, "\n" + "\n".join(jumps))

    def test_events_are_small(self):
        """With 2,000 customers of whom 677 have something open."""
        self.pipeline.run("""
            INSERT INTO customer_state (customer_id, recorded_at, heart_rate, is_anomaly, readings, anomalies)
            SELECT 'cust_1' || lpad(n::text, 4, '0'), now(), 60 + n %% 140, false, n, 0 FROM generate_series(1, 2000) AS n""")
        self.pipeline.run("""
            INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at, extreme_heart_rate,
                                  readings, reason)
            SELECT 'cust_1' || lpad(n::text, 4, '0'), 'tachycardia', 'high', 'high', now() - n * interval '1 s', now(), now(), 190, n,
                   'bpm 131 to ' || 150 + n %% 40 || ' for ' || n || ' s, limit 130'
              FROM generate_series(1, 677) AS n""")
        def size(packed):
            connection = http.client.HTTPConnection("127.0.0.1", self.pipeline.port, timeout=60)
            connection.request("GET", "/api/v1/events", headers={"Accept-Encoding": "gzip"} if packed else {})
            answer = connection.getresponse()
            self.assertEqual(answer.getheader("Content-Encoding"), "gzip" if packed else None)
            found, text, reader = b"", b"", zlib.decompressobj(31)
            sizes = []
            while len(sizes) < 5:
                piece = answer.read1(65536)
                text += reader.decompress(piece) if packed else piece
                found += piece
                while b"\n\n" in text:
                    event, text = text.split(b"\n\n", 1)
                    if event.startswith(b"event: state"):
                        sizes.append((len(event), len(found)))
                        found = b""
            connection.close()
            return [plain for plain, _ in sizes[2:]], [wire for _, wire in sizes[2:]]
        eventually(lambda: b'"now":677' in self.state(), "677 people")
        plain, packed = size(False)[0], size(True)[1]
        print(f"an event with 677 of 2,000 customers: {max(plain)} bytes, {max(packed)} on the wire")
        self.assertLessEqual(max(plain), MOST_PLAIN)
        self.assertLessEqual(max(packed), MOST_PACKED)

    def state(self):
        connection = http.client.HTTPConnection("127.0.0.1", self.pipeline.port, timeout=60)
        connection.request("GET", "/api/v1/state")
        try:
            return connection.getresponse().read()
        finally:
            connection.close()


if __name__ == "__main__":
    unittest.main()
