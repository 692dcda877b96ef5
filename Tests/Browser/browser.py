"""A real Chromium without a window, driven by chromedriver."""
import base64
import json
import os
import re
import subprocess
import sys

from selenium import webdriver
from selenium.common.exceptions import ElementClickInterceptedException, ElementNotInteractableException
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By

from pipeline import ROOT, eventually

SCREENSHOTS = os.environ.get("HEARTBEAT_SCREENSHOTS", os.path.join(ROOT, ".build/screenshots"))
AXE = os.path.join(ROOT, ".build/axe")
WCAG = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]


def axe_source():
    """axe-core's text, from the one Python package that ships a version with the rules of WCAG 2.2."""
    path = os.path.join(AXE, "axe_playwright_python/axe.min.js")
    if not os.path.exists(path):
        subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--disable-pip-version-check",
                        "--root-user-action", "ignore", "--target", AXE, "axe-playwright-python==0.1.8"], check=True)
    with open(path, encoding="utf-8") as file:
        return file.read()


class Browser:
    def __init__(self, address):
        self.address = address
        options = webdriver.ChromeOptions()
        options.binary_location = "/usr/bin/chromium"
        for argument in ("--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--lang=en-US"):
            options.add_argument(argument)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(service=Service("/usr/bin/chromedriver"), options=options)
        self.driver.set_script_timeout(90)
        self.driver.execute_cdp_cmd("Network.enable", {})
        self.look()

    def close(self):
        self.driver.quit()

    def look(self, dark=False, width=1440, height=900, calm=False, zone="Asia/Kolkata"):
        """How the viewer's system is set."""
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [
            {"name": "prefers-color-scheme", "value": "dark" if dark else "light"},
            {"name": "prefers-reduced-motion", "value": "reduce" if calm else "no-preference"}]})
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", {
            "width": width, "height": height, "deviceScaleFactor": 1, "mobile": False})
        if zone:
            self.driver.execute_cdp_cmd("Emulation.setTimezoneOverride", {"timezoneId": zone})

    def open(self, path="/"):
        self.driver.get(self.address + path)

    def script(self, text, *arguments):
        return self.driver.execute_script(text, *arguments)

    def all(self, selector):
        return self.driver.find_elements(By.CSS_SELECTOR, selector)

    def one(self, selector):
        return self.driver.find_element(By.CSS_SELECTOR, selector)

    def texts(self, selector):
        """All elements' texts at one instant; the page may change between two questions."""
        return self.script("""
            return Array.from(document.querySelectorAll(arguments[0]), e => e.textContent.replace(/[\u2068\u2069]/g, ""))""",
                           selector)

    def ids(self, selector):
        """All elements' texts as they are: an id may itself have the signs that isolate one."""
        return self.script("return Array.from(document.querySelectorAll(arguments[0]), e => e.textContent)", selector)

    def title(self):
        """The tab's title, without the signs that isolate an id."""
        return re.sub("[\u2068\u2069]", "", self.driver.title)

    def text(self, selector):
        return " ".join(self.texts(selector))

    def click(self, selector):
        def clicked():
            if not self.stands_still(selector):
                return False
            try:
                self.one(selector).click()
            except (ElementClickInterceptedException, ElementNotInteractableException):
                # Something glides over it, or it has only just come.
                return False
            return True
        eventually(clicked, f"{selector} can be clicked")

    def stands_still(self, selector):
        """Whether it is where it was a moment ago, once it is in sight: what glides is gone when the button is pressed."""
        return self.driver.execute_async_script("""
            const [selector, done] = arguments;
            const element = document.querySelector(selector);
            element.scrollIntoView({block: "center"});
            const place = () => JSON.stringify(element.getBoundingClientRect());
            const before = place();
            setTimeout(() => done(element.isConnected && place() === before), 50);""", selector)

    def wait_text(self, selector, wanted):
        return eventually(lambda: wanted in self.text(selector), lambda: f"{wanted!r} in {selector}, not {self.text(selector)!r}")

    def notices(self):
        return self.text("#notices strong")

    def wait_quiet(self):
        """Live, with nothing to say about it."""
        eventually(lambda: self.texts(".health-name")[:1] == ["Live"] and self.notices() == "" and not self.all("body.loading"),
                   "a live page without notices")

    def card(self, name):
        """The value of a key figure."""
        return self.script("""
            const card = Array.from(document.querySelectorAll(".card")).find(e => e.firstElementChild.textContent === arguments[0]);
            return card?.children[1].firstElementChild.textContent ?? null""", name)

    def points(self):
        """How many points each line of the chart has."""
        return self.script("return Chart.getChart('chart')?.data.datasets.map(each => each.data.length) ?? []")

    def errors(self):
        """What the page has said on the console that is an error; requests that failed are not the page's."""
        return [entry["message"] for entry in self.driver.get_log("browser")
                if entry["level"] == "SEVERE" and entry["source"] != "network"]

    def screenshot(self, name):
        os.makedirs(SCREENSHOTS, exist_ok=True)
        shot = self.driver.execute_cdp_cmd("Page.captureScreenshot", {"captureBeyondViewport": True})
        with open(os.path.join(SCREENSHOTS, name + ".png"), "wb") as file:
            file.write(base64.b64decode(shot["data"]))

    def violations(self):
        """What axe-core finds against WCAG 2.2 A and AA, one line each."""
        self.script(axe_source())
        found = self.driver.execute_async_script(
            "const done = arguments[1]; axe.run(document, {runOnly: {type: 'tag', values: arguments[0]}}).then(done)", WCAG)
        assert len(found["passes"]) > 10, "axe-core has looked at the page"
        return [f"{rule['id']}: {json.dumps(node['target'])}" for rule in found["violations"] for node in rule["nodes"]]
