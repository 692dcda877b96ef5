"""The list of people: one status each, the same everywhere, nobody hidden, and an acknowledgement that holds for what was seen."""
import json
import unittest
import urllib.request

from selenium.webdriver.common.keys import Keys

from episodes import HOSTILE, REASON, EpisodeCase
from pipeline import eventually


class People(EpisodeCase):
    def api(self, path):
        with urllib.request.urlopen(self.pipeline.address + path) as answer:
            return json.load(answer)

    def test_one_status_everywhere(self):
        """D3: list, table, tile, own page, filter and interface have the same word for each customer."""
        self.episode("cust_0001", "tachycardia", "high", 60)
        self.episode("cust_0001", "deviation", "low", 60)
        self.episode("cust_0002", "signal loss", "medium", 60)
        self.episode("cust_0003", "bradycardia", "medium", 60)
        wanted = {"cust_0001": "high", "cust_0002": "no signal", "cust_0003": "medium", HOSTILE: "normal"}
        self.overview()
        self.shown([("cust_0001", "high"), ("cust_0003", "medium")])
        self.shown([("cust_0002", "no signal")], "watched")

        def table():
            return dict(zip(self.browser.texts("#customers tbody th a"), self.browser.texts("#customers tbody td:nth-child(3)")))
        eventually(lambda: table() == wanted, lambda: f"the table says {table()}")
        self.assertEqual({each["customer_id"]: each["status"] for each in self.api("/api/v1/customers")["items"]}, wanted)
        metrics = urllib.request.urlopen(self.pipeline.address + "/metrics").read().decode()
        for status in set(wanted.values()):
            self.assertIn(f'status="{status.replace(" ", "_")}"}} 1\n', metrics)
        for status in ("high", "no signal"):
            self.browser.click(f"#statuses [data-status='{status}']")
            eventually(lambda: set(table().values()) == {status}, f"only {status}")
        self.browser.open("/wall")
        def tiles():
            return dict(self.browser.script("""
                return Array.from(document.querySelectorAll("#tiles .tile"), tile => [
                    tile.querySelector("bdi").textContent, tile.dataset.status])"""))
        eventually(lambda: tiles() == wanted, lambda: f"the tiles say {tiles()}")
        for who, status in wanted.items():
            self.person(urllib.request.quote(who))
            self.browser.wait_text("#now .status", status)
            self.assertEqual(self.api("/api/v1/customer?customer_id=" + urllib.request.quote(who))["status"], status)

    def test_an_episode_from_its_start_to_its_end(self):
        browser = self.browser
        self.overview()
        browser.wait_text("#people-calm", "No episodes so far.")
        first = self.episode("cust_0001", "deviation", "low", 20)
        self.shown([("cust_0001", "low")], "watched")
        self.assertEqual(browser.text("#people-spoken"), "")
        second = self.episode("cust_0002", "tachycardia", "medium", 10)
        self.shown([("cust_0002", "medium")])
        # It gets worse: then it is red, comes first, and is said once.
        self.change(first, "severity = 'high', worst_severity = 'high'")
        self.shown([("cust_0001", "high"), ("cust_0002", "medium")])
        browser.wait_text("#people-spoken", "High: deviation, cust_0001, since ")
        self.assertEqual(browser.text("#count-now"), "2 people")
        before = self.row("cust_0001")
        eventually(lambda: self.row("cust_0001") != before, "an age that keeps running")
        # It ends before anybody has looked: it is not over for who has to know.
        self.change(first, "closed_at = now()")
        self.shown([("cust_0001", "normal")], "eased")
        self.assertIn("not seen by anybody", self.row("cust_0001"))
        self.change(second, "closed_at = now()")
        self.shown([])
        browser.wait_text("#people-calm", "Nobody needs somebody now.")
        self.assertTrue(browser.script("return window.sameDocument"))

    def test_nobody_is_hidden(self):
        """D2: of very many people the newest alarm is first, and everybody is there or one press away."""
        self.crowd(300)
        self.overview()
        eventually(lambda: len(self.people()) == 12, "the rows")
        self.assertEqual(self.browser.text("#count-now"), "300 people")
        self.assertEqual(len(self.browser.all("#chips .chip")), 100)
        self.assertEqual(self.browser.text("#people-all"), "All 300 as a table")
        self.calm_hand()
        self.episode("cust_0003", "bradycardia", "high", 1)
        eventually(lambda: self.people()[0] == ("cust_0003", "high"), "the newest one first")
        eventually(lambda: self.browser.title().startswith("(301) High: cust_0003"), "the newest one in the title")
        self.assertEqual(self.browser.script("""
            return Array.from(document.querySelectorAll("#people, #people *")).filter(each =>
                ["auto", "scroll"].includes(getComputedStyle(each).overflowY)).length"""), 0)
        self.browser.click("#people-all")
        self.browser.wait_text("#range", "1–25 of 301")
        self.assertEqual(self.browser.texts("#customers tbody th a")[0], "cust_0003")
        self.browser.one("#search").send_keys("c0007")
        self.browser.wait_text("#range", "1–1 of 1")
        self.browser.driver.refresh()
        self.browser.wait_text("#range", "1–1 of 1")
        self.assertEqual(self.browser.texts("#customers tbody th a"), ["c0007"])

    def test_what_gets_worse_asks_again(self):
        """D1: acknowledged as medium, then high: red, first, spoken; and the acknowledgement of before is told."""
        number = self.episode("cust_0001", "tachycardia", "medium", 60)
        other = self.episode("cust_0002", "tachycardia", "medium", 60)
        self.overview("Anna")
        self.shown([("cust_0002", "medium"), ("cust_0001", "medium")])
        self.calm_hand()
        self.browser.click("[data-customer=cust_0001] button")
        eventually(lambda: self.noted(number) == "Anna", "the name in the database")
        self.shown([("cust_0001", "medium")], "watched")
        self.change(number, "severity = 'high', worst_severity = 'high'")
        self.shown([("cust_0001", "high"), ("cust_0002", "medium")])
        self.browser.wait_text("#people-spoken", "High: tachycardia, cust_0001")
        self.assertIn("was medium when Anna saw it", self.row("cust_0001"))
        # A page that has not seen that yet cannot acknowledge it.
        self.browser.click("#pause")
        self.browser.wait_text("#notices strong", "Paused since")
        self.calm_hand()
        self.pipeline.run("UPDATE episodes SET severity = 'high', worst_severity = 'high', alarmed_at = '2000-01-01' WHERE episode_id = %s", other)
        self.pipeline.run("UPDATE episodes SET alarmed_at = '2000-01-01' WHERE episode_id = %s", other)
        self.browser.click("[data-customer=cust_0002] button")
        self.browser.wait_text("#people-error", "it has become worse: its severity is high")
        self.assertIsNone(self.noted(other))

    def test_two_taps_at_one_place_are_one_acknowledgement(self):
        """D5: the rows keep their places after a press, and what was pressed can be taken back."""
        numbers = [self.episode(who, "tachycardia", "high", 60) for who in ("cust_0001", "cust_0002", "cust_0003")]
        self.browser.look(width=390, height=844)
        self.overview("Anna")
        self.shown([("cust_0003", "high"), ("cust_0002", "high"), ("cust_0001", "high")])
        self.calm_hand()
        place = self.browser.script("""
            document.querySelector("[data-customer=cust_0003] button").scrollIntoView({block: "center"});
            const box = document.querySelector("[data-customer=cust_0003] button").getBoundingClientRect();
            return [box.x + box.width / 2, box.y + box.height / 2]""")
        def tap():
            for kind in ("touchStart", "touchEnd"):
                points = [{"x": place[0], "y": place[1]}] if kind == "touchStart" else []
                self.browser.driver.execute_cdp_cmd("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
        self.browser.driver.execute_cdp_cmd("Emulation.setTouchEmulationEnabled", {"enabled": True})
        self.addCleanup(self.browser.driver.execute_cdp_cmd, "Emulation.setTouchEmulationEnabled", {"enabled": False})
        tap()
        eventually(lambda: self.noted(numbers[2]) == "Anna", "the first one")
        self.browser.driver.execute_async_script("setTimeout(arguments[0], 1200)")
        tap()
        self.shown([("cust_0002", "high"), ("cust_0001", "high")])
        self.assertEqual([self.noted(number) for number in numbers], [None, None, "Anna"])
        # And once more as soon as other rows are there: what has just come under the finger takes no press.
        tap()
        self.browser.wait_text("#undo", "Acknowledged cust_0003 as Anna.")
        self.assertEqual([self.noted(number) for number in numbers], [None, None, "Anna"])
        self.browser.click("#undo button")
        eventually(lambda: self.noted(numbers[2]) is None, "taken back")
        eventually(lambda: len(self.people()) == 3, "all three need somebody again")

    def test_an_alarm_that_ends_unseen_stays(self):
        """D10: also for who opens the page after it has ended."""
        number = self.episode("cust_0001", "bradycardia", "high", 90, 27)
        self.overview("Anna")
        self.shown([("cust_0001", "normal")], "eased")
        self.assertIn("Bradycardia ended", self.row("cust_0001"))
        self.calm_hand()
        self.browser.click("[data-customer=cust_0001] button")
        eventually(lambda: self.noted(number) == "Anna", "the name in the database")
        self.shown([], "eased")

    def test_acknowledged_by_a_click(self):
        browser = self.browser
        number, other = self.episode("cust_0001", "tachycardia", "high", 90), self.episode("cust_0002", "tachycardia", "high", 30)
        self.overview()
        self.shown([("cust_0002", "high"), ("cust_0001", "high")])
        self.assertFalse(browser.one("#who-change").is_displayed())
        self.calm_hand()
        browser.click("[data-customer=cust_0001] button")
        self.assertTrue(browser.one("#who").is_displayed())
        browser.click("#who [type=button]")
        self.assertFalse(browser.one("#who").is_displayed())
        browser.click("[data-customer=cust_0001] button")
        browser.one("#who-name").send_keys("  Anna Ö. <i>")
        browser.click("#who [type=submit]")
        eventually(lambda: self.noted(number) == "Anna Ö. <i>", "the name in the database")
        self.shown([("cust_0001", "high")], "watched")
        self.assertIn("✓ Anna Ö. <i>", self.row("cust_0001"))
        self.assertEqual(browser.text("#who-change"), "You are Anna Ö. <i>")
        # The name is asked for once.
        self.calm_hand()
        browser.click("[data-customer=cust_0002] button")
        eventually(lambda: self.noted(other) == "Anna Ö. <i>", "the second one")
        self.assertFalse(browser.one("#who").is_displayed())
        self.shown([])

    def test_acknowledged_by_keyboard(self):
        """D15: the focus goes on to the next one, and stays when others come before it."""
        number = self.episode("cust_0001", "bradycardia", "high", 90)
        after = self.episode("cust_0003", "bradycardia", "medium", 90)
        self.overview()
        self.shown([("cust_0001", "high"), ("cust_0003", "medium")])
        button = self.browser.one("[data-customer=cust_0001] button")
        self.assertEqual(button.accessible_name, "Acknowledge bradycardia of \u2068cust_0001\u2069")
        for _ in range(30):
            self.press(Keys.TAB)
            if self.browser.script("return document.activeElement.closest('[data-customer=cust_0001]') && document.activeElement.tagName === 'BUTTON'"):
                break
        self.calm_hand()
        self.episode("cust_0002", "bradycardia", "high", 20)
        self.shown([("cust_0002", "high"), ("cust_0001", "high"), ("cust_0003", "medium")])
        self.press(Keys.ENTER)
        eventually(lambda: self.browser.script("return document.activeElement.id") == "who-name", "the question has the focus")
        self.press("Bob", Keys.ENTER)
        eventually(lambda: self.noted(number) == "Bob", "the name in the database")
        focused = "return document.activeElement.getAttribute('aria-label')"
        eventually(lambda: self.browser.script(focused) == "Acknowledge bradycardia of \u2068cust_0003\u2069", "the next one has the focus")
        self.press(Keys.ENTER)
        eventually(lambda: self.noted(after) == "Bob", "the next one too")

    def test_who_was_slower_is_told(self):
        number = self.episode("cust_0001", "tachycardia", "high", 90)
        self.overview("Anna")
        self.shown([("cust_0001", "high")])
        # As long as the viewer has paused, the page does not see that somebody else has done it.
        self.browser.click("#pause")
        self.calm_hand()
        self.pipeline.run("SELECT acknowledge_episode(%s, 'Carl')", number)
        self.browser.click("[data-customer=cust_0001] button")
        self.browser.wait_text("#people-error", "cust_0001 not acknowledged: Carl acknowledged it before")
        self.assertEqual(self.noted(number), "Carl")

    def test_ids_and_reasons_are_just_text(self):
        self.episode(HOSTILE, "tachycardia", "high", 60)
        self.overview()
        self.shown([(HOSTILE, "high")])
        self.assertIn(REASON, self.row(HOSTILE))
        self.browser.click("#people-now a")
        self.browser.wait_text("#customer-id", HOSTILE)
        self.assertEqual(self.browser.all("main img, main b"), [])

    def test_a_tile_shows_all_of_itself(self):
        """Three digits, the arrow and the shape are within each tile of the wall, however many there are."""
        for count, width, height in ((2, 1600, 900), (6, 1920, 1080), (50, 1920, 1080)):
            with self.subTest(count=count):
                self.crowd(count)
                self.browser.look(width=width, height=height)
                self.browser.open("/wall")
                eventually(lambda: len(self.browser.all(".needed .tile")) == min(count, 6) and self.browser.all("#tiles .tile"), "tiles")
                self.assertEqual(self.browser.script("""
                    return [...document.querySelectorAll(".tile")].filter((tile) => {
                        tile.querySelector("small").textContent = "→";
                        tile.querySelector(".tile-rate span").textContent = "188";
                        const {right} = tile.getBoundingClientRect();
                        return [...tile.querySelectorAll("small, .tile-id span")].some((part) => part.getBoundingClientRect().right > right);
                    }).map((tile) => tile.textContent)"""), [])

    def test_for_everybody(self):
        """WCAG 2.2 A and AA by axe-core, no page wider than its window and no text wider than its place."""
        self.crowd(40, "medium")
        self.episode("cust_0001", "tachycardia", "high", 94)
        self.episode(HOSTILE, "bradycardia", "high", 400, by="Anna Lindqvist-Oppenheimer the Elder", reason="bpm 31 to 38 for 94 s, limit 40")
        self.episode("cust_0002", "tachycardia", "medium", 500, worst="high", reason="bpm 133 to 184 for 480 s, limit 131")
        self.episode("cust_0003", "signal loss", "medium", 25, reason="no reading for 25 s, usually one each 1.0 s")
        for dark in (False, True):
            for width in (2560, 1440, 320):
                self.browser.look(dark=dark, width=width, calm=True)
                for name in ("", "customers", "operations", "wall"):
                    with self.subTest(page=name, dark=dark, width=width):
                        if name == "":
                            self.overview()
                            eventually(lambda: self.people(), "the people")
                        else:
                            self.browser.open("/" + name)
                            eventually(lambda: self.browser.all("main .tile, #customers tbody tr, .card"), "something to see")
                        self.assertEqual(self.browser.violations(), [])
                        self.assertLessEqual(self.browser.script("return document.documentElement.scrollWidth"), width)
                        self.assertEqual(self.browser.script("""
                            return [...document.querySelectorAll(".person > p")]
                                .filter((cell) => cell.scrollWidth > cell.clientWidth + 1).map((cell) => cell.textContent)"""), [])
                        self.browser.screenshot(f"people-{name or 'now'}-{'dark' if dark else 'light'}-{width}")


if __name__ == "__main__":
    unittest.main()
