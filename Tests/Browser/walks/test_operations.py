"""The page for who looks after the system: whom the notifier tells of alarms, and what became of it."""
import http.server
import json
import os
import threading
import unittest

from selenium.webdriver.support.select import Select

from episodes import EpisodeCase
from pipeline import eventually


class Receiver(http.server.BaseHTTPRequestHandler):
    """Takes what is sent to /duty, and refuses what is sent to /chat."""

    tests = 0

    def do_POST(self):
        event = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if self.path == "/duty":
            Receiver.tests += event["type"] == "test"
        self.send_response(200 if self.path == "/duty" else 422)
        self.end_headers()

    def log_message(self, *_):
        pass


class Operations(EpisodeCase):
    def routes(self):
        """Three receivers: one that answers, one that refuses, one that is down."""
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Receiver)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        path = os.path.join(self.pipeline.folder, "notifier.routes")
        with open(path, "w", encoding="utf-8") as file:
            for name, port in (("duty", server.server_port), ("chat", server.server_port), ("down", 9)):
                file.write(f"receiver {name} webhook http://127.0.0.1:{port}/{name}\nroute {name} severity=medium\n")
        return path

    def table(self):
        return self.browser.script("""
            return Array.from(document.querySelectorAll("#receivers tbody tr"), row => Array.from(row.cells, cell => cell.textContent))""")

    def happen(self, who, severity):
        number = self.episode(who, "tachycardia", severity, 30)
        self.pipeline.run("INSERT INTO episode_changes (episode_id, changed_at, change, severity) VALUES (%s, now(), 'opened', %s)",
                          number, severity)

    def test_receivers(self):
        browser = self.browser
        browser.open("/operations")
        browser.wait_quiet()
        self.assertFalse(browser.one("#receivers-panel").is_displayed(), "without a notifier nobody is told")
        self.pipeline.start("notifier", NOTIFIER_ROUTES_FILE=self.routes(), NOTIFIER_BACKOFF_SECONDS="0.3")
        eventually(lambda: self.pipeline.rows("SELECT FROM notifiers"), "a notifier that is registered")
        self.happen("cust_0001", "high")
        self.happen("cust_0002", "medium")
        self.happen("cust_0003", "low")
        eventually(lambda: [[part.split(",")[0] for part in row[:4]] for row in self.table()] == [
            ["chat", "0", "0", "2"], ["down", "0", "2", "0"], ["duty", "2", "0", "0"]], lambda: f"all of them, not {self.table()}")
        errors = {row[0]: row[4] for row in self.table()}
        self.assertRegex(self.table()[1][2], r"^2, since \d\d:\d\d:\d\d$")
        self.assertRegex(self.table()[2][1], r"^2, last at \d\d:\d\d:\d\d$")
        self.assertIn("422", errors["chat"])
        self.assertNotEqual(errors["down"], "")
        self.assertEqual(errors["duty"], "")
        # A test message goes the same way.
        browser.script("localStorage.setItem('acknowledges', 'Anna')")
        browser.open("/operations")
        browser.wait_quiet()
        for name, place in (("duty", 1), ("chat", 3)):
            before = eventually(lambda: {row[0]: row for row in self.table()}.get(name), "the receiver")[place].split(",")[0]
            Select(browser.one("#test-receiver")).select_by_visible_text(name)
            browser.click("#test-form button")
            browser.wait_text("#test-note", f"A test message to {name} is on its way.")
            eventually(lambda: {row[0]: row for row in self.table()}[name][place].split(",")[0] == str(int(before) + 1),
                       lambda: f"one more message to {name}, not {self.table()}")
        self.assertEqual(self.pipeline.rows("SELECT person FROM episode_events WHERE event = 'test'"), [("Anna",), ("Anna",)])
        self.assertEqual(Receiver.tests, 1)
        for dark in (False, True):
            for width in (1440, 320):
                browser.look(dark=dark, width=width, calm=True)
                with self.subTest(dark=dark, width=width):
                    browser.open("/operations")
                    browser.wait_quiet()
                    eventually(lambda: len(self.table()) == 3, "the receivers")
                    self.assertEqual(browser.violations(), [])
                    self.assertLessEqual(browser.script("return document.documentElement.scrollWidth"), width)
                    browser.screenshot(f"operations-{'dark' if dark else 'light'}-{width}")


if __name__ == "__main__":
    unittest.main()
