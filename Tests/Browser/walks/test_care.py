"""What people set for a customer, on the customer's page: limits, a pause, groups, notes; with who and when, and who may."""
import crypt
import os
import unittest
import urllib.request

from selenium.webdriver.common.keys import Keys
from selenium.webdriver.support.select import Select

from episodes import HOSTILE, EpisodeCase
from pipeline import eventually


class Care(EpisodeCase):
    def setUp(self):
        super().setUp()
        self.pipeline.run("DELETE FROM customer_pauses")
        self.pipeline.run("DELETE FROM customer_groups")
        self.browser.open()
        self.browser.script("localStorage.clear(); sessionStorage.clear(); localStorage.setItem('acknowledges', 'Anna')")

    def log(self):
        return self.browser.texts("#care-log li")

    def set_field(self, selector, text):
        field = self.browser.one(selector)
        self.browser.script("arguments[0].scrollIntoView({block: 'center'})", field)
        field.clear()
        field.send_keys(text)

    def limits(self, who):
        return self.pipeline.rows("SELECT heart_rate_min, heart_rate_max FROM customer_limits WHERE customer_id = %s", who)

    def test_limits(self):
        """Old and new value before and after the change; by the keyboard alone."""
        browser = self.browser
        self.person("cust_0001")
        browser.wait_text("#limits-change", "40 to 180 bpm, the common limits")
        self.set_field("#limit-min", "45")
        self.set_field("#limit-max", "150")
        browser.wait_text("#limits-change", "From 40 to 180 bpm to 45 to 150 bpm")
        self.press(Keys.ENTER)
        eventually(lambda: self.limits("cust_0001") == [(45, 150)], "the limits in the database")
        eventually(lambda: self.log() and "Anna set limits: none → 45 to 150 bpm" in self.log()[0], lambda: f"the log, not {self.log()}")
        browser.wait_text("#limits", "Own limits for episodes: 45 to 150 bpm, instead of 40 to 180.")
        # Wrong ones are refused in words, and change nothing.
        self.set_field("#limit-max", "41")
        self.press(Keys.ENTER)
        browser.wait_text("#care-error", "expected heart_rate_min below heart_rate_max")
        # None of one's own: the common ones again.
        for field in ("#limit-min", "#limit-max"):
            self.set_field(field, "")
        browser.click("#limits-form button")
        eventually(lambda: "Anna set limits: 45 to 150 bpm → none" in self.log()[0], lambda: f"the log, not {self.log()}")
        eventually(lambda: not browser.one("#limits").is_displayed(), "no own limits")

    def test_a_pause_asks_nobody_and_ends(self):
        browser = self.browser
        self.episode("cust_0002", "tachycardia", "high", 60)
        self.person("cust_0002")
        Select(browser.one("#pause-minutes")).select_by_value("30")
        browser.click("#pause-form [type=submit]")
        browser.wait_text("#pause-note", "by Anna. What is open is shown, and asks nobody.")
        eventually(lambda: "Anna paused: none → " in self.log()[0], lambda: f"the log, not {self.log()}")
        self.overview("Anna")
        self.shown([("cust_0002", "high")], "watched")
        self.assertIn("Paused until ", self.row("cust_0002"))
        self.assertEqual(browser.title(), "heartbeat")
        browser.open("/wall")
        browser.wait_text("#tiles .tile[data-status=high] .tile-text", "paused until")
        # It ends by itself.
        self.pipeline.run("UPDATE customer_pauses SET paused_until = now()")
        self.overview("Anna")
        self.shown([("cust_0002", "high")])
        self.person("cust_0002")
        browser.wait_text("#pause-note", "Not paused.")
        # And by hand.
        browser.click("#pause-form [type=submit]")
        browser.wait_text("#pause-note", "Paused until")
        browser.click("#pause-end")
        browser.wait_text("#pause-note", "Not paused.")
        eventually(lambda: "Anna ended the pause" in self.log()[0], lambda: f"the log, not {self.log()}")

    def test_groups(self):
        """Set on the page; then a filter of list, wall and report, with an address that can be sent."""
        browser = self.browser
        self.person(urllib.request.quote(HOSTILE))
        self.set_field("#groups", " Ward 3,  <b>Room</b> , Ward 3")
        browser.click("#groups-form button")
        eventually(lambda: self.log() and "set groups: none → <b>Room</b>, Ward 3" in self.log()[0], lambda: f"the log, not {self.log()}")
        self.pipeline.run("INSERT INTO customer_groups VALUES ('cust_0002', 'Ward 3')")
        self.episode("cust_0001", "tachycardia", "high", 60)
        self.episode("cust_0002", "tachycardia", "high", 60)
        browser.open("/customers")
        eventually(lambda: "Ward 3 (2)" in browser.texts("#group option"), lambda: f"the group, not {browser.texts('#group option')}")
        Select(browser.one("#group")).select_by_value("Ward 3")
        def names():
            return browser.texts("#customers tbody th a")
        eventually(lambda: names() == [HOSTILE, "cust_0002"], lambda: f"the group, not {names()}")
        self.assertIn("group=Ward+3", browser.driver.current_url)
        browser.driver.refresh()
        eventually(lambda: names() == [HOSTILE, "cust_0002"], lambda: f"the group after a reload, not {names()}")
        browser.open("/wall?group=Ward%203")
        eventually(lambda: sorted(browser.texts("#tiles .tile bdi")) == sorted([HOSTILE, "cust_0002"]), "the tiles of the group")
        eventually(lambda: browser.texts("#needed .tile bdi") == ["cust_0002"], "who needs somebody of the group")
        browser.wait_text("#wall-counts", "1 needs somebody")
        browser.wait_text("#wall-live", "Ward 3, 2 customers")
        browser.open("/report?group=Ward%203")
        eventually(lambda: browser.texts("#report tbody th") == ["cust_0002"], "the group in the report")
        browser.wait_text("#report-title", "Ward 3, ")
        self.assertIn("group=Ward+3", browser.one("#report-csv").get_attribute("href"))

    def test_a_note_with_an_acknowledgement(self):
        browser = self.browser
        number = self.episode("cust_0003", "bradycardia", "high", 60)
        self.overview("Anna")
        self.shown([("cust_0003", "high")])
        self.calm_hand()
        browser.click("[data-customer=cust_0003] button")
        browser.wait_text("#undo", "Acknowledged cust_0003 as Anna.")
        browser.one("#undo-note").send_keys("called, walking <i>", Keys.ENTER)
        eventually(lambda: self.pipeline.rows("SELECT acknowledged_note FROM episodes WHERE episode_id = %s", number)
                   == [("called, walking <i>",)], "the note in the database")
        eventually(lambda: "“called, walking <i>”" in (self.row("cust_0003") or ""), "the note in the list")
        self.person("cust_0003")
        eventually(lambda: any("Anna noted, “called, walking <i>”" in line for line in self.log()), lambda: f"the log, not {self.log()}")
        self.set_field("#note", "sleeps now")
        browser.click("#note-form button")
        eventually(lambda: "Anna noted, “sleeps now”" in self.log()[0], lambda: f"the log, not {self.log()}")

    def test_for_everybody(self):
        self.pipeline.run("SELECT set_customer_groups('cust_0003', 'Anna', ARRAY['Ward 3'])")
        self.pipeline.run("SELECT set_customer_limits('cust_0003', 'Anna', 45::smallint, 160::smallint)")
        for dark in (False, True):
            for width in (2560, 1440, 390, 320):
                with self.subTest(dark=dark, width=width):
                    self.browser.look(dark=dark, width=width, calm=True)
                    self.person("cust_0003")
                    eventually(self.log, "what was done")
                    self.assertEqual(self.browser.violations(), [])
                    self.assertLessEqual(self.browser.script("return document.documentElement.scrollWidth"), width)
                    self.browser.screenshot(f"care-{'dark' if dark else 'light'}-{width}")


class Passwords(EpisodeCase):
    """With a second password: who only looks can do that, and no more."""

    def setUp(self):
        super().setUp()
        path = os.path.join(self.pipeline.folder, "dashboard.secrets")
        with open(path, "w", encoding="utf-8") as file:
            file.write(crypt.crypt("pässword", crypt.mksalt(crypt.METHOD_SHA512)) + "\n")
        os.chmod(path, 0o644)
        self.pipeline.stop("dashboard")
        self.pipeline.start_dashboard(DASHBOARD_STALE_SECONDS="86400", DASHBOARD_ACTING_PASSWORD_FILE=path)

    def test_asked_once(self):
        browser = self.browser
        number = self.episode("cust_0001", "tachycardia", "high", 60)
        other = self.episode("cust_0002", "tachycardia", "high", 30)
        self.overview()
        browser.script("sessionStorage.clear()")
        self.overview()
        self.shown([("cust_0002", "high"), ("cust_0001", "high")])
        self.calm_hand()
        browser.click("[data-customer=cust_0001] button")
        eventually(lambda: browser.one("#who").is_displayed(), "the question")
        browser.one("#who-name").send_keys("Anna")
        browser.one("#who-password").send_keys("wrong")
        browser.click("#who [type=submit]")
        browser.wait_text("#who .field-error", "Not done: the password for acting is wrong.")
        self.assertIsNone(self.noted(number))
        self.assertEqual(self.browser.violations(), [])
        browser.one("#who-password").send_keys("pässword")
        browser.click("#who [type=submit]")
        eventually(lambda: self.noted(number) == "Anna", "the name in the database")
        # The tab knows it now, on every page.
        self.shown([("cust_0002", "high")])
        self.calm_hand()
        browser.click("[data-customer=cust_0002] button")
        eventually(lambda: self.noted(other) == "Anna", "the second one")
        self.person("cust_0001")
        browser.one("#note").send_keys("well", Keys.ENTER)
        eventually(lambda: any("Anna noted, “well”" in line for line in browser.texts("#care-log li")), "a note")


if __name__ == "__main__":
    unittest.main()
