"""More customers than the list takes: nobody is lost, and the page says what it does not list."""
import datetime as dt
import json
import unittest
import urllib.parse
import urllib.request

from browser import Browser
from pipeline import Pipeline, eventually

COUNT, LISTED = 52_000, 50_000


class Crowd(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.pipeline = cls.enterClassContext(Pipeline())
        now = dt.datetime.now(dt.UTC)
        cls.pipeline.start("consumer", EPISODES="false")
        cls.pipeline.publish((f"k{number:06}", now - dt.timedelta(microseconds=number), 60 + number % 60)
                             for number in range(COUNT))
        cls.pipeline.start_dashboard()
        cls.browser = Browser(cls.pipeline.address)
        cls.addClassCleanup(cls.browser.close)

    def customers(self, **query):
        address = f"{self.pipeline.address}/api/v1/customers?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(address, timeout=60) as answer:
            return json.load(answer)

    def counted(self):
        with urllib.request.urlopen(f"{self.pipeline.address}/api/v1/state", timeout=60) as answer:
            return json.load(answer)["totals"]["customers"]

    def test_interface(self):
        eventually(lambda: self.customers()["total"] == LISTED, "the list")
        # The totals are counted once in a while.
        eventually(lambda: self.counted() == COUNT, lambda: f"all of them: {self.counted()}")
        self.assertTrue(self.customers()["is_truncated"])
        # Those at both ends, and on both sides of where the list ends.
        for number in (0, LISTED - 1, LISTED, COUNT - 1):
            found = self.customers(search=f"k{number:06}")
            self.assertEqual([item["customer_id"] for item in found["items"]], [f"k{number:06}"])
            self.assertFalse(found["is_truncated"])
        # A part of an id, in any case of its letters: all that have it, or the first 5,000 and a word about the rest.
        found = self.customers(search="K0519")
        self.assertEqual((found["total"], found["is_truncated"]), (100, False))
        found = self.customers(search="k05", limit=1)
        self.assertEqual((found["total"], found["is_truncated"]), (2000, False))
        found = self.customers(search="k0", limit=1)
        self.assertEqual((found["total"], found["is_truncated"]), (5000, True))
        self.assertEqual(self.customers(search="nobody")["total"], 0)

    def test_page(self):
        self.browser.open("/operations")
        eventually(lambda: self.browser.card("Customers") == "52,000", lambda: f"the card: {self.browser.card('Customers')}")
        self.browser.open("/customers")
        self.browser.wait_text("#range", "of 50,000")
        self.browser.wait_text("#customers-cut",
                               "Only the first 50,000 by id are listed here. Search looks at every customer.")
        self.browser.one("#search").send_keys("k051999")
        self.browser.wait_text("#range", "1–1 of 1")
        self.assertEqual(self.browser.ids("#customers tbody th a"), ["k051999"])
        self.assertFalse(self.browser.one("#customers-cut").is_displayed())
        self.browser.click("#customers tbody th a")
        eventually(lambda: "k051999" in self.browser.text("h1"), "the page of who is not listed")
        self.assertEqual(self.browser.errors(), [])


if __name__ == "__main__":
    unittest.main()
