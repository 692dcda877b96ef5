"""Ids that break programs, from the sender to every place of the page: each is shown and stored as it was sent."""
import csv
import datetime as dt
import http.client
import io
import json
import os
import unicodedata
import unittest
import urllib.parse

from confluent_kafka import Producer

from browser import Browser
from pipeline import Pipeline, eventually

LONG = os.environ.get("HEARTBEAT_TEST_LONG") == "1"
TURNED = "\u202ebill\u202c \u202eevil"
ACTIVE = ["__proto__", "constructor", "\"\u0301, \\\u0327{", TURNED, "<img src=x onerror=alert(1)>", "😀" * 50]
IDS = ACTIVE + [
    "caf\u00e9", "cafe\u0301", "\u212b", "\u00c5", "A\u030a", "\ufb01x", "\u1112\u1161\u11ab", "\ud55c", "\u0301", "\u0301\u0301x",
    "\u200b", "a\u200bb", "\u200d", "\ufeff", "\ufeffx", "\ufffd", "\u00ad", "\u2028", "\u2067rtl\u2069", "\u2069\u202eout",
    "שלום", "مرحبا 123", "\u202e", "toString", "hasOwnProperty", "valueOf", "null", "NaN", "undefined", "true", "0", "-1", "1e3",
    "../", "..", ".", "/etc/passwd", "%00", "%2F", "%252e", "a/b?c=d&e#f", "a+b", "'; DROP TABLE customers; --", "\\", "\\N", "\"",
    "{\"a\":1}", "$1", "${x}", "{{7*7}}", "</script>", "&amp;", " x", "x ", " ", "a  b", "\u00a0", "İ", "ß", "ẞ", "ﷺ" * 50,
    "👩‍👩‍👧‍👦", "🇩🇪", "\U0010ffff", "\ue000", "Z̛̹ͭ̉a̴͔lgo", "CON", "=1+1", "@x", "W" * 50,
]
CONTROLS = ["a\tb", "a\nb", "\x7f", "\x1b[31m", "\x01", "a\r\nSet-Cookie: x=1"]


class Ids(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pipeline = cls.enterClassContext(Pipeline())
        # Nobody goes on sending.
        cls.pipeline.start_dashboard(DASHBOARD_STALE_SECONDS="86400")
        cls.pipeline.start("consumer")
        # New to the dashboard: then the busiest of them are the most active.
        eventually(lambda: cls.get("/readyz")[0] == 200, "a dashboard that has asked the database")
        now = dt.datetime.now(dt.UTC)
        cls.pipeline.publish((who, now - dt.timedelta(seconds=second), 70 + second)
                             for who in IDS for second in range(20 if who in ACTIVE else 2))
        cls.browser = Browser(cls.pipeline.address)
        cls.addClassCleanup(cls.browser.close)

    def tearDown(self):
        self.assertEqual(self.browser.errors(), [])

    @classmethod
    def get(cls, path, method="GET", body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", cls.pipeline.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            answer = connection.getresponse()
            return answer.status, answer.read(), answer.headers
        finally:
            connection.close()

    def json(self, path, **query):
        status, body, _ = self.get(f"{path}?{urllib.parse.urlencode(query)}")
        self.assertEqual(status, 200, f"{path} {query}: {body}")
        return json.loads(body)

    def bytewise(self, ids):
        return sorted(ids, key=lambda each: each.encode())

    def test_stored_and_answered(self):
        stored = {row[0] for row in self.pipeline.rows("SELECT convert_to(customer_id, 'UTF8') FROM customers")}
        self.assertEqual(stored, {each.encode() for each in IDS})
        listed = self.json("/api/v1/customers", limit=200)
        self.assertEqual([each["customer_id"] for each in listed["items"]], self.bytewise(IDS))
        for who in IDS:
            with self.subTest(id=who):
                self.assertEqual(self.json("/api/v1/customer", customer_id=who)["customer_id"], who)
                readings = self.json("/api/v1/readings", customer_id=who)
                self.assertEqual((readings["customer_id"], readings["count"]), (who, 20 if who in ACTIVE else 2))
                found = [each["customer_id"] for each in self.json("/api/v1/customers", search=who, limit=200)["items"]]
                self.assertIn(who, found)
                status, body, headers = self.get("/api/v1/readings.csv?" + urllib.parse.urlencode({"customer_id": who}))
                rows = list(csv.reader(io.StringIO(body.decode(), newline="")))
                self.assertEqual((status, len(rows), rows[-1][0]), (200, 1 + readings["count"], who))
                self.assertRegex(headers["content-disposition"], r'^attachment; filename="heartbeat-[A-Za-z0-9_-]+\.csv"$')

    def test_overview(self):
        self.browser.open("/?rows=100&limit=100")
        self.browser.wait_quiet()
        shown = eventually(lambda: self.browser.ids("#customers tbody th a"), "rows")
        self.assertEqual(shown, self.bytewise(IDS)[:len(shown)])
        self.assertEqual(len(shown), len(IDS))
        # Whatever an id has in it, what stands beside it stays where it is.
        styles = self.browser.script("""
            return Array.from(document.querySelectorAll("#customers .id"), each => {
              const style = getComputedStyle(each);
              return [style.display, style.whiteSpace, each.dir, each.parentElement.scrollWidth <= innerWidth].join();
            })""")
        self.assertEqual(set(styles), {"inline-block,pre,auto,true"})
        for who in ("caf\u00e9", TURNED, "%2F", "\\N"):
            self.browser.script("""
                const search = document.querySelector("#search");
                search.value = arguments[0];
                search.dispatchEvent(new Event("input", { bubbles: true }))""", who)
            eventually(lambda who=who: self.browser.ids("#customers tbody th a") == [who], f"only {who!r}")

    def test_operations(self):
        self.browser.open("/operations")
        lines = """
            return (Chart.getChart("chart")?.data.datasets ?? []).filter(each => each.role === "line").map(each => each.label)"""
        eventually(lambda: set(self.browser.script(lines)) == set(ACTIVE), lambda: f"the most active, not {self.browser.script(lines)}")

    def test_own_page(self):
        for who in IDS if LONG else ACTIVE + ["cafe\u0301", "\ufeffx", "..", "%00", "a/b?c=d&e#f", " x"]:
            with self.subTest(id=who):
                self.browser.open("/customer?" + urllib.parse.urlencode({"customer_id": who}))
                eventually(lambda: self.browser.all("#figures .card"), "the figures of the range")
                self.assertEqual(self.browser.ids("#customer-id"), [who])
                title = self.browser.script("return document.querySelector('title').textContent")
                self.assertTrue(title.endswith(f"\u2068{who}\u2069 · heartbeat"), title)
                self.assertIn(f"of \u2068{who}\u2069 from", self.browser.one("#chart").get_attribute("aria-label"))

    def test_acknowledged(self):
        """An episode of each is listed and acknowledged; the name comes back as it was given."""
        page = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        for who in IDS:
            with self.subTest(id=who):
                number = self.pipeline.run("""
                    INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at,
                                          extreme_heart_rate, readings, reason)
                    VALUES (%s, 'tachycardia', 'high', 'high', now(), now(), now(), 201, 40, 'fast')
                    RETURNING episode_id""", who).fetchone()[0]
                listed = self.json("/api/v1/episodes", customer_id=who, state="open")["items"]
                self.assertEqual([(each["episode_id"], each["customer_id"]) for each in listed], [(number, who)])
                # A name may be what an id may, but for blanks at its ends.
                name = who if not {who[0], who[-1]} & {" ", "\u00a0"} and not any(unicodedata.category(c) == "Cc" for c in who) else "Ann"
                status, body, _ = self.get(f"/api/v1/episodes/{number}/acknowledge", "POST", json.dumps({"by": name}), page)
                answer = json.loads(body)
                self.assertEqual((status, answer.get("customer_id"), answer.get("acknowledged_by")), (200, who, name), answer)

    def test_refused_body(self):
        """What is no name, in every form that JSON has, is refused with a reason."""
        page = {"Sec-Fetch-Site": "same-origin", "Content-Type": "application/json"}
        for body in (b"", b"null", b"[]", b"0", b'"x"', b"{}", b'{"by": null}', b'{"by": 1}', b'{"by": ["x"]}', b'{"by": {}}',
                     b'{"by": ""}', b'{"by": " x"}', b'{"by": "x\\u00a0"}', b'{"by": "a\\u0000"}', b'{"by": "a\\nb"}', b'{"by": "\\ud800"}',
                     b'{"by": "x", "by2": 1}', b'{"By": "x"}', b'{"by": "x"} x', b'{"by": "x"', b"{'by': 'x'}", b'{"by": "\xff"}',
                     b'\xef\xbb\xbf', b"[" * 900, b'{"by": ' + b"[" * 900, b'{"by": 1e999}', json.dumps({"by": "x" * 51}).encode()):
            status, answer, _ = self.get("/api/v1/episodes/1/acknowledge", "POST", body, page)
            self.assertEqual(status, 400, body)
            self.assertTrue(json.loads(answer)["detail"].startswith(("by: ", "expected a JSON object")), answer)

    def test_metrics_and_journal(self):
        status, text, _ = self.get("/metrics")
        self.assertEqual(status, 200)
        for line in text.decode().splitlines():
            self.assertRegex(line, r'^(#|\w+\{daemon="[a-z]+"[^}]*\} [-+0-9.eEInfNa]+$)')
        for line in self.pipeline.daemons["consumer"].lines + self.pipeline.daemons["dashboard"].lines:
            self.assertFalse(any(unicodedata.category(c) == "Cc" for c in line), ascii(line))

    def test_zero_and_controls(self):
        """NUL is refused as a message; other control characters are an id like any other, or refused, and never lost."""
        before = self.pipeline.rows("SELECT count(*) FROM rejected_messages")[0][0]
        producer = Producer({"bootstrap.servers": self.pipeline.bootstrap})
        now = dt.datetime.now(dt.UTC).isoformat()
        for who in ["\x00", "a\x00b", *CONTROLS]:
            producer.produce(self.pipeline.topic, json.dumps({"customer_id": who, "timestamp": now, "heart_rate": 70}), "key")
        producer.flush(60)

        def stored():
            rows = self.pipeline.rows("SELECT customer_id FROM customers WHERE customer_id = ANY (%s)", CONTROLS)
            refused = self.pipeline.rows("SELECT count(*) FROM rejected_messages")[0][0] - before
            return ({row[0] for row in rows}, refused) if len(rows) + refused == 2 + len(CONTROLS) else None
        taken, refused = eventually(stored, "all of them")
        self.assertGreaterEqual(refused, 2)
        for who in taken:
            self.assertEqual(self.json("/api/v1/customer", customer_id=who)["customer_id"], who)
        self.pipeline.run("DELETE FROM customer_state WHERE customer_id = ANY (%s)", CONTROLS)
        self.pipeline.run("DELETE FROM customers WHERE customer_id = ANY (%s)", CONTROLS)


if __name__ == "__main__":
    unittest.main()
