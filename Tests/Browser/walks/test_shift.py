"""What takes long: a shift in fast motion with two people, and 50,000 customers of whom 5,000 need somebody."""
import json
import os
import time
import unittest
import urllib.parse
import urllib.request

from browser import Browser
from episodes import EpisodeCase
from pipeline import eventually

LONG = os.environ.get("HEARTBEAT_TEST_LONG") == "1"
LISTEN = """
    window.heard = [];
    addEventListener("heartbeat-sound", (event) => window.heard.push([Date.now() / 1000, event.detail]));"""


@unittest.skipUnless(LONG, "takes minutes: HEARTBEAT_TEST_LONG=1")
class Shift(EpisodeCase):
    """Eight hours with 40 alarms, of which each is a twelfth of a minute."""

    ALARMS, PEOPLE = 40, 40

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.carl = Browser(cls.pipeline.address)
        cls.station = Browser(cls.pipeline.address)
        for browser in (cls.carl, cls.station):
            cls.addClassCleanup(browser.close)

    def page_of(self, browser, name):
        browser.open()
        browser.script("localStorage.clear(); localStorage.setItem('acknowledges', arguments[0])", name)
        browser.open()
        browser.wait_quiet()

    def hidden_station(self):
        """A tab with sound on, behind another one."""
        self.page_of(self.station, "Station")
        self.station.script(LISTEN)
        self.station.click("#sound")
        eventually(lambda: self.station.text("#sound") == "Sound on", "sound")
        tab = self.station.driver.current_window_handle
        self.station.driver.switch_to.new_window("tab")
        return tab

    def sections(self, browser):
        return dict(browser.script("""
            return Array.from(document.querySelectorAll("#people li.person"), row => [
                row.dataset.customer, row.parentElement.id.replace("people-", "")])"""))

    def act(self, browser, who):
        """Presses the button in somebody's row, which must have stood still for a while."""
        eventually(lambda: browser.all(f"[data-customer={who}] button"), lambda: f"{who} in {self.sections(browser)}")
        browser.driver.execute_async_script("setTimeout(arguments[0], 2800)")
        browser.click(f"[data-customer={who}] button")

    def restart(self, round):
        """What fails in this round, and comes back."""
        if round == 12:
            self.pipeline.postgres("stop", "-m", "immediate")
            for browser in (self.browser, self.carl):
                browser.wait_text("#notices strong", "The database has been unreachable")
            self.pipeline.postgres("start")
        elif round == 25:
            self.pipeline.stop("dashboard")
            for browser in (self.browser, self.carl):
                browser.wait_text("#notices strong", "The connection to the dashboard has been cut since")
            self.pipeline.start_dashboard(DASHBOARD_STALE_SECONDS="86400")
        for browser in (self.browser, self.carl):
            browser.wait_quiet()

    def test_a_shift(self):
        self.crowd(self.PEOPLE)
        self.pipeline.run("DELETE FROM episodes")
        self.page_of(self.browser, "Anna")
        self.page_of(self.carl, "Carl")
        tab = self.hidden_station()
        wanted, raised, unseen = {}, [], set()
        for round in range(self.ALARMS):
            if round in (12, 25):
                self.restart(round)
            if round % 10 == 5:
                self.carl.click("#pause")
            who = f"c{round + 1:04}"
            number = self.episode(who, ("bradycardia", "tachycardia")[round % 2], "high", 5)
            begin = time.time()
            for browser in (self.browser, self.carl):
                eventually(lambda: self.sections(browser).get(who) == "now", f"{who} needs somebody, also for who has paused")
            time.sleep(4)
            raised.append((begin, time.time()))
            if round % 4 == 2:
                # Better before anybody came. Some of these somebody sees later, some nobody.
                self.change(number, "closed_at = now()")
                eventually(lambda: self.sections(self.carl).get(who) == "eased", f"{who} ended, not seen")
                if round % 8 == 2:
                    unseen.add(who)
                    wanted[number] = None
                    continue
            browser, name = ((self.browser, "Anna"), (self.carl, "Carl"))[round % 2]
            self.act(browser, who)
            wanted[number] = name
            eventually(lambda: self.noted(number) == name, f"{name} for {who}")
            self.change(number, "closed_at = coalesce(closed_at, now())")
        self.assertEqual({number: self.noted(number) for number in wanted}, wanted)
        log = dict(self.pipeline.rows("SELECT episode_id, string_agg(person, ',') FROM care_log WHERE action = 'acknowledged' GROUP BY 1"))
        self.assertEqual(log, {number: name for number, name in wanted.items() if name})
        for browser in (self.browser, self.carl):
            eventually(lambda: self.sections(browser) == dict.fromkeys(unseen, "eased"), lambda: f"{unseen}, not {self.sections(browser)}")
        self.station.driver.switch_to.window(tab)
        heard = [at for at, level in self.station.script("return window.heard") if level == "high"]
        missed = [begin for begin, end in raised if not any(begin <= at <= end + 1 for at in heard)]
        print(f"{len(raised)} alarms, {len(heard)} patterns of high, {len(missed)} not heard, {len(unseen)} shown as not seen")
        self.assertEqual(missed, [])


@unittest.skipUnless(LONG, "takes minutes: HEARTBEAT_TEST_LONG=1")
class Crowd(EpisodeCase):
    CUSTOMERS, OPEN = 50_000, 5000

    @classmethod
    def seed(cls):
        super().seed()
        cls.pipeline.run("INSERT INTO customers SELECT 'w' || lpad(n::text, 5, '0') FROM generate_series(5, %s) AS n", cls.CUSTOMERS)
        cls.pipeline.run("""
            INSERT INTO customer_state (customer_id, recorded_at, heart_rate, is_anomaly, readings, anomalies)
            SELECT 'w' || lpad(n::text, 5, '0'), now(), 50 + n %% 140, false, n, 0 FROM generate_series(5, %s) AS n""", cls.CUSTOMERS)

    def setUp(self):
        super().setUp()
        self.pipeline.run("""
            INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at, readings, reason)
            SELECT 'w' || lpad((n * 10)::text, 5, '0'),
                   (ARRAY['tachycardia', 'bradycardia', 'signal loss', 'deviation'])[1 + n %% 4]::episode_kind, severity, severity,
                   now(), now(), now(), 9, 'bpm 131 to 150 for 19 s, limit 130'
              FROM generate_series(1, %s) AS n,
                   LATERAL (SELECT (ARRAY['high', 'medium', 'low', 'medium'])[1 + n %% 4]::episode_severity AS severity) AS s""", self.OPEN)

    def everybody(self, **query):
        """What the interface says of all."""
        found, offset = {}, 0
        while True:
            address = "/api/v1/customers?" + urllib.parse.urlencode({"limit": 200, "offset": offset, **query})
            page = json.load(urllib.request.urlopen(self.pipeline.address + address, timeout=60))
            found.update({each["customer_id"]: each["status"] for each in page["items"]})
            offset += 200
            if offset >= page["total"]:
                return found

    def test_everybody_everywhere(self):
        """The same word in the interface, the list, the table, the tiles and on the own page, and nobody farther than a press."""
        words = dict(self.pipeline.rows("""
            SELECT customer_id, CASE WHEN kind = 'signal loss' THEN 'no signal' ELSE severity::text END FROM episodes"""))
        wanted = {name: words.get(name, "normal")
                  for name, in self.pipeline.rows("SELECT customer_id FROM customer_state ORDER BY 1")}
        self.overview()
        eventually(lambda: len(self.people()) == 12, "the rows")
        self.assertEqual(self.everybody(), wanted)
        open_ones = self.everybody(section="open")
        self.assertEqual(open_ones, words)
        rows = dict(self.people())
        self.assertEqual(rows, {name: words[name] for name in rows})
        chips = self.browser.script("""
            return Array.from(document.querySelectorAll("#chips .chip"), chip => [chip.children[1].textContent, chip.title])""")
        for name, title in chips:
            self.assertEqual(title, f"{name}: {words[name]}")
        self.calm_hand()
        begin = time.monotonic()
        self.episode("w00011", "tachycardia", "high", 1)
        eventually(lambda: "High: w00011" in self.browser.title(), "the newest one in the title")
        print(f"a new alarm was in the title after {time.monotonic() - begin:.1f} s, with 50,000 customers")
        self.browser.click("#people-all")
        eventually(lambda: "5,001" in self.browser.text("#range"), lambda: f"all, not {self.browser.text('#range')}")
        table = dict(zip(self.browser.texts("#customers tbody th a"), self.browser.texts("#customers tbody td:nth-child(3)")))
        self.assertEqual(table, {name: words.get(name, "high") for name in table})
        self.browser.open("/wall?filter=w0010")
        eventually(lambda: self.browser.all("#tiles .tile"), "the tiles")
        tiles = dict(self.browser.script("""
            return Array.from(document.querySelectorAll("#tiles .tile"), tile => [tile.querySelector("bdi").textContent, tile.dataset.status])"""))
        self.assertEqual(tiles, {name: wanted[name] for name in tiles})
        for name in list(words)[::1000]:
            self.person(name)
            self.browser.wait_text("#now .status", words[name])
        memory = self.browser.script("return performance.memory?.usedJSHeapSize ?? 0")
        print(f"the page takes {memory / 1e6:.1f} MB")


if __name__ == "__main__":
    unittest.main()
