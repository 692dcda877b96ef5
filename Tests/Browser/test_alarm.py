"""Heard without being looked at: sound, title, icon, pause, and a tab in the background."""
import re
import unittest

from episodes import EpisodeCase
from pipeline import eventually

LISTEN = """
    window.heard = [];
    addEventListener("heartbeat-sound", (event) => window.heard.push(event.detail));"""


class Alarm(EpisodeCase):
    def heard(self):
        return self.browser.script("return window.heard")

    def listen(self):
        self.overview("Anna")
        self.browser.script(LISTEN)

    def sound_on(self):
        self.browser.click("#sound")
        eventually(lambda: self.browser.text("#sound") == "Sound on", lambda: f"sound on, not {self.browser.text('#sound')}")

    def test_a_new_alarm_is_in_the_title_and_sounds(self):
        """D6: at once, and again as long as nobody has seen it; a rise from medium to high changes the pattern."""
        self.listen()
        self.sound_on()
        self.assertTrue(self.browser.one("#sound-panel").is_displayed())
        icon = "return document.querySelector('link[rel=icon]').href"
        calm = self.browser.script(icon)
        number = self.episode("cust_0001", "tachycardia", "medium", 5)
        eventually(lambda: self.browser.title() == "(1) Medium: cust_0001 · heartbeat", "the title")
        eventually(lambda: self.heard() == ["medium"], lambda: f"the pattern of medium, not {self.heard()}")
        self.change(number, "severity = 'high', worst_severity = 'high'")
        eventually(lambda: self.browser.title() == "(1) High: cust_0001 · heartbeat", "the title of high")
        eventually(lambda: self.heard()[1:] == ["high"], "the pattern of high")
        self.assertNotEqual(self.browser.script(icon), calm)
        eventually(lambda: self.heard()[1:] == ["high", "high"], "once more")
        self.pipeline.run("SELECT acknowledge_episode(%s, 'Anna')", number)
        eventually(lambda: self.browser.title() == "heartbeat", "a calm title")
        self.assertEqual(self.browser.script(icon), calm)

    def test_mute_has_an_end_and_a_new_alarm_breaks_it(self):
        self.episode("cust_0001", "tachycardia", "high", 5)
        self.listen()
        self.sound_on()
        eventually(lambda: self.heard()[:1] == ["high"], "the pattern")
        self.browser.click("#mute")
        self.browser.wait_text("#sound", "Muted 1 min")
        before = len(self.heard())
        self.browser.driver.execute_async_script("setTimeout(arguments[0], 9000)")
        self.assertEqual(len(self.heard()), before)
        self.episode("cust_0002", "bradycardia", "high", 5)
        eventually(lambda: self.browser.text("#sound") == "Sound on", "sound again")
        eventually(lambda: len(self.heard()) > before, "the pattern again")

    def test_patterns_are_different_and_audible(self):
        """The page's own patterns in an offline context: how many pulses, and that none clips or is silent."""
        self.overview()
        found = self.browser.driver.execute_async_script("""
            const done = arguments[0];
            import("./static/alarm/patterns.js").then(async ({play, patterns}) => {
                const all = {};
                for (const level of Object.keys(patterns)) {
                    const context = new OfflineAudioContext(1, 4 * 8000, 8000);
                    play(context, context.destination, level, 0);
                    const samples = (await context.startRendering()).getChannelData(0);
                    let pulses = 0, quiet = 0, peak = 0, loud = false;
                    for (const sample of samples) {
                        peak = Math.max(peak, Math.abs(sample));
                        quiet = Math.abs(sample) > 0.05 ? 0 : quiet + 1;
                        if (quiet === 0 && !loud) { loud = true; pulses += 1; }
                        if (quiet > 160) loud = false;
                    }
                    all[level] = [pulses, peak > 0.2 && peak <= 1];
                }
                done(all);
            })""")
        self.assertEqual(found, {"high": [10, True], "medium": [3, True], "data": [2, True]})

    def test_a_blocked_sound_is_told(self):
        """Sound was switched on before; a browser gives none until somebody presses something."""
        self.overview()
        self.browser.script("localStorage.setItem('sound', 'on')")
        self.browser.open()
        self.browser.wait_quiet()
        blocked = self.browser.text("#sound")
        self.assertIn(blocked, ("Sound blocked", "Sound on"))
        if blocked == "Sound blocked":
            self.browser.click("#count-now")
            eventually(lambda: self.browser.text("#sound") == "Sound on", "sound after a press")

    def test_a_pause_ends_at_a_new_alarm(self):
        self.overview()
        self.browser.click("#pause")
        self.browser.wait_text("#notices strong", "Paused since")
        self.episode("cust_0001", "tachycardia", "medium", 5)
        self.browser.driver.execute_async_script("setTimeout(arguments[0], 2500)")
        self.assertIn("Paused since", self.browser.notices())
        self.episode("cust_0002", "bradycardia", "high", 5)
        eventually(lambda: self.browser.notices() == "", "no pause any more")
        self.assertEqual(self.browser.text("#pause"), "Pause")
        self.shown([("cust_0002", "high"), ("cust_0001", "medium")])

    def test_a_tab_in_the_background(self):
        """With sound on it keeps its stream; without, its title still tells after a while."""
        for sound in (True, False):
            with self.subTest(sound=sound):
                self.pipeline.run("DELETE FROM episodes")
                self.listen()
                if sound:
                    self.sound_on()
                page = self.browser.driver.current_window_handle
                self.browser.driver.switch_to.new_window("tab")
                other = self.browser.driver.current_window_handle
                self.episode("cust_0001", "bradycardia", "high", 5)
                def title():
                    targets = self.browser.driver.execute_cdp_cmd("Target.getTargets", {})["targetInfos"]
                    return [re.sub("[\u2068\u2069]", "", each["title"]) for each in targets if each["type"] == "page"]
                eventually(lambda: any(each.startswith("(1) High: cust_0001") for each in title()), lambda: f"the title, not {title()}")
                self.browser.driver.switch_to.window(other)
                self.browser.driver.close()
                self.browser.driver.switch_to.window(page)
                if sound:
                    self.assertIn("high", self.heard())


if __name__ == "__main__":
    unittest.main()
