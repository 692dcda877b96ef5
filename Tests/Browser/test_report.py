"""The report for who takes over, on the page, as CSV and on paper; and the customer's chart under a hand."""
import base64
import csv
import io
import subprocess
import tempfile
import unittest
import urllib.request

from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from episodes import HOSTILE, EpisodeCase
from pipeline import eventually


class Report(EpisodeCase):
    def happen(self):
        self.episode("cust_0001", "tachycardia", "high", 300, 200)
        number = self.episode("cust_0001", "bradycardia", "high", 100)
        self.pipeline.run("SELECT acknowledge_episode(%s, 'Anna', 'high', 'called, <b>walking</b>')", number)
        self.episode(HOSTILE, "signal loss", "medium", 250, 130)

    def table(self):
        return self.browser.script("""
            return Array.from(document.querySelectorAll("#report tbody tr"), row => Array.from(row.cells, cell => cell.textContent))""")

    def test_what_happened(self):
        self.happen()
        self.browser.open("/report")
        eventually(lambda: len(self.table()) == 2, lambda: f"two rows, not {self.table()}")
        first, second = self.table()
        self.assertEqual(first[:6], ["cust_0001", "2", "2", "0", "0", "1"])
        self.assertEqual(second[:6], [HOSTILE, "1", "0", "1", "0", "0"])
        self.assertEqual(second[7:9], ["–", "2 min 0 s"])
        self.assertEqual(first[9], "70")
        self.browser.wait_text("#notes", "cust_0001: Anna acknowledged, “called, <b>walking</b>”")
        self.assertEqual(self.browser.all("main img, #notes b"), [])
        with urllib.request.urlopen(self.browser.one("#report-csv").get_attribute("href")) as answer:
            rows = list(csv.DictReader(io.TextIOWrapper(answer, "utf-8", newline="")))
        self.assertEqual([(row["customer_id"], row["episodes"], row["unseen"]) for row in rows],
                         [("cust_0001", "2", "1"), (HOSTILE, "1", "0")])
        # The address can be sent.
        address = self.browser.driver.current_url
        self.browser.driver.get(address)
        eventually(lambda: len(self.table()) == 2, "the same again")
        for dark in (False, True):
            for width in (1440, 320):
                self.browser.look(dark=dark, width=width, calm=True)
                self.assertEqual(self.browser.violations(), [])
                self.assertLessEqual(self.browser.script("return document.documentElement.scrollWidth"), width)
                self.browser.screenshot(f"report-{'dark' if dark else 'light'}-{width}")

    def test_on_paper(self):
        """Chromium's own print: every row, also from a dark page, and nothing that is only for a screen."""
        self.happen()
        self.crowd(40, "medium")
        self.browser.look(dark=True)
        self.browser.open("/report")
        eventually(lambda: len(self.table()) == 42, "the rows")
        pdf = base64.b64decode(self.browser.driver.execute_cdp_cmd("Page.printToPDF", {})["data"])
        with tempfile.NamedTemporaryFile(suffix=".pdf") as file:
            file.write(pdf)
            file.flush()
            text = subprocess.run(["pdftotext", "-layout", file.name, "-"], check=True, capture_output=True, text=True).stdout
        for who in ("cust_0001", *(f"c{number:04}" for number in range(1, 41))):
            self.assertIn(who, text)
        for word in ("Download CSV", "Pause", "Sound"):
            self.assertNotIn(word, text)

    def span(self):
        return self.browser.script("const x = Chart.getChart('chart').scales.x; return [x.min, x.max]")

    def test_a_chart_under_a_hand(self):
        """Drag, keys and Escape choose the time; it stays in the address."""
        self.person("cust_0001")
        eventually(lambda: sum(self.browser.points()) > 0, "points")
        whole = self.span()
        plot = self.browser.one("#plot")
        ActionChains(self.browser.driver).move_to_element(plot).move_by_offset(-200, 0).click_and_hold().move_by_offset(
            300, 0).release().perform()
        eventually(lambda: "from=" in self.browser.driver.current_url, "the time in the address")
        eventually(lambda: self.span()[1] - self.span()[0] < (whole[1] - whole[0]) / 2, "a shorter time")
        part = self.span()
        self.browser.driver.refresh()
        eventually(lambda: self.browser.all("#figures .card") and self.span() == part, "the same time after a reload")
        self.browser.script("document.getElementById('plot').focus()")
        self.press(Keys.ARROW_LEFT)
        eventually(lambda: self.span()[0] < part[0], "earlier")
        self.press("-")
        eventually(lambda: self.span()[1] - self.span()[0] > 1.9 * (part[1] - part[0]), "twice as much")
        self.press(Keys.ESCAPE, Keys.ESCAPE)
        eventually(lambda: self.span() == part, "back")

    def test_an_episode_is_shown_by_a_press(self):
        """D13: with two minutes around it, and with the limit by which it was judged."""
        self.episode("cust_0001", "tachycardia", "high", 400, 300, reason="bpm 131 to 150 for 100 s, limit 130")
        self.person("cust_0001")
        eventually(lambda: sum(self.browser.points()) > 0 and len(self.rows("episodes")) == 1, "the episode")
        place = self.browser.script("""
            const chart = Chart.getChart("chart"), box = chart.canvas.getBoundingClientRect();
            chart.canvas.scrollIntoView({block: "center"});
            return [chart.scales.x.getPixelForValue(Date.parse(chart.episodes[0].opened_at) + 50000), box.height / 2, box.width / 2]""")
        ActionChains(self.browser.driver).move_to_element(self.browser.one("#plot")).move_by_offset(
            round(place[0] - place[2]), 0).click().perform()
        eventually(lambda: 335_000 < self.span()[1] - self.span()[0] < 345_000, lambda: f"340 s, not {self.span()}")


if __name__ == "__main__":
    unittest.main()
