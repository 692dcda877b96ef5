"""The same walk in WebKit, which an iPad has, and the pages in Firefox: nothing is missing, and nothing fails."""
import glob
import os
import re
import subprocess
import tempfile
import unittest

from selenium import webdriver
from selenium.webdriver.webkitgtk.options import Options

from browser import SCREENSHOTS
from episodes import EpisodeCase
from pipeline import eventually

MINI = (glob.glob("/usr/lib/*/webkit2gtk-4.*/MiniBrowser") or [None])[0]
FIREFOX = "/usr/bin/firefox-esr"
# A page, and what is there once all of it works.
PAGES = {
    "/": "#people-now .person-button", "/customers": "#customers tbody td .status", "/wall": "#tiles .tile .tile-rate",
    "/customer?customer_id=cust_0001": "#figures .card", "/operations": ".cards .card", "/report": "#report tbody th",
}


class Engines(EpisodeCase):
    def setUp(self):
        super().setUp()
        self.episode("cust_0001", "tachycardia", "high", 60)
        os.makedirs(SCREENSHOTS, exist_ok=True)

    @unittest.skipUnless(MINI, "WebKit is not installed: webkit2gtk-driver, xvfb")
    def test_webkit(self):
        with tempfile.TemporaryDirectory() as folder:
            display = subprocess.Popen(["Xvfb", "-displayfd", "1", "-screen", "0", "1280x1024x24", "-nolisten", "tcp"],
                                       stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
            try:
                os.environ.update(DISPLAY=":" + display.stdout.readline().strip(), WEBKIT_DISABLE_COMPOSITING_MODE="1",
                                  WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS="1", XDG_RUNTIME_DIR=folder)
                self.walk(os.path.join(folder, "log"))
            finally:
                display.terminate()
                display.wait()
                display.stdout.close()

    def walk(self, log):
        options = Options()
        options.binary_location = MINI
        for argument in ("--automation", "--enable-write-console-messages-to-stdout=true"):
            options.add_argument(argument)
        driver = webdriver.WebKitGTK("/usr/bin/WebKitWebDriver", options=options, service_log_path=log)
        try:
            driver.set_window_size(1280, 1000)
            for path, wanted in PAGES.items():
                with self.subTest(path=path):
                    driver.get(self.pipeline.address + path)
                    eventually(lambda: driver.find_elements("css selector", wanted), f"{wanted} on {path}")
                    charts = "return Array.from(document.querySelectorAll('canvas'), each => each.width * each.height).every(Boolean)"
                    eventually(lambda: driver.execute_script(charts), f"the charts on {path}")
                    name = re.sub(r"\W+", "", path.split("?")[0]) or "now"
                    driver.save_screenshot(os.path.join(SCREENSHOTS, f"webkit-{name}.png"))
            driver.get(self.pipeline.address)
            driver.execute_script("localStorage.setItem('acknowledges', 'Anna')")
            driver.get(self.pipeline.address)
            eventually(lambda: driver.find_elements("css selector", ".person-button"), "the button")
            driver.execute_async_script("setTimeout(arguments[0], 1500)")
            driver.find_element("css selector", ".person-button").click()
            eventually(lambda: self.pipeline.rows("SELECT person FROM care_log ORDER BY care_id DESC LIMIT 1") == [("Anna",)], "the name")
        finally:
            driver.quit()
        with open(log, encoding="utf-8", errors="replace") as file:
            self.assertEqual([line for line in file if "CONSOLE" in line and "ERROR" in line], [])

    @unittest.skipUnless(os.path.exists(FIREFOX), "Firefox is not installed: firefox-esr")
    def test_firefox(self):
        for path in PAGES:
            with self.subTest(path=path), tempfile.TemporaryDirectory() as home:
                name = re.sub(r"\W+", "", path.split("?")[0]) or "now"
                picture = os.path.join(SCREENSHOTS, f"firefox-{name}.png")
                subprocess.run([FIREFOX, "--headless", "--profile", home, "--window-size=1280,1000", "--screenshot", picture,
                                self.pipeline.address + path], check=True, timeout=120, env={**os.environ, "HOME": home},
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
                self.assertGreater(os.path.getsize(picture), 20_000)


if __name__ == "__main__":
    unittest.main()
