#!/usr/bin/python3
"""How soon a message is a changed number in a browser, and how soon the page is there.

usage: page.py [--messages N] [--loads N]

One message at a time goes to Kafka, at no fixed distance from the last; a real Chromium notes when it draws the total
that counts it. First paint is the browser's own figure, from the request on, each time with an empty cache.
Needs what packaging/test installs for the browser's tests. HEARTBEAT names another build than the release's.
"""
import argparse
import datetime as dt
import os
import random
import sys
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ.setdefault("HEARTBEAT", os.path.join(ROOT, ".build/release/heartbeat"))
sys.path.insert(0, os.path.join(ROOT, "Tests/Browser"))
from confluent_kafka import Producer  # noqa: E402

import bench  # noqa: E402
from browser import Browser  # noqa: E402
from pipeline import Pipeline, eventually  # noqa: E402

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--messages", type=int, default=200)
ap.add_argument("--loads", type=int, default=20)
a = ap.parse_args()

WATCH = """
    window.drawn = {};
    const card = Array.from(document.querySelectorAll(".card")).find(each => each.textContent.startsWith("Readings"));
    new MutationObserver(() => requestAnimationFrame(() => {
        const total = card.children[1].firstElementChild.textContent.replaceAll(",", "");
        window.drawn[total] ??= Date.now();
    })).observe(card, {subtree: true, childList: true, characterData: true});"""
PAINTS = """
    return Object.fromEntries(performance.getEntriesByType("paint").map(each => [each.name, each.startTime]))"""


def send(producer, topic):
    now = dt.datetime.now(dt.UTC)
    producer.produce(topic, bench.payload("cust_0001", now.isoformat(), random.randint(60, 90)), b"cust_0001")
    producer.flush(60)
    return now.timestamp()


def freshness(pipeline, browser):
    """Seconds from produce() to the frame with the number, one for each message."""
    producer = Producer({"bootstrap.servers": pipeline.bootstrap, "linger.ms": 0})
    send(producer, pipeline.topic)
    eventually(lambda: browser.card("Readings") == "1", "the first reading on the page")
    browser.script(WATCH)
    sent = {}
    for number in range(2, a.messages + 2):
        sent[number] = send(producer, pipeline.topic)
        time.sleep(random.uniform(0.1, 1.5))
    eventually(lambda: browser.card("Readings") == f"{a.messages + 1:,}", "all readings on the page")
    time.sleep(0.5)
    drawn = {int(total): at / 1000 for total, at in browser.script("return window.drawn").items()}
    # Two messages within one event are drawn as one change.
    return [min(at for total, at in drawn.items() if total >= number) - began for number, began in sent.items()]


def paints(browser):
    browser.driver.execute_cdp_cmd("Network.setCacheDisabled", {"cacheDisabled": True})
    found = []
    for _ in range(a.loads):
        browser.open("/operations")
        found.append(eventually(lambda: len(browser.script(PAINTS)) == 2 and browser.script(PAINTS), "a paint"))
    return found


with Pipeline() as pipeline:
    pipeline.start("consumer")
    pipeline.start_dashboard()
    browser = Browser(pipeline.address)
    try:
        browser.open("/operations")
        ages = freshness(pipeline, browser)
        print(
            f"freshness of {len(ages)} messages: "
            + ", ".join(f"p{p} {bench.percentile(ages, p):.2f} s" for p in (50, 95, 99))
            + f", most {max(ages):.2f} s"
        )
        loads = paints(browser)
        for name in ("first-paint", "first-contentful-paint"):
            times = [each[name] for each in loads]
            print(f"{name} of {len(times)} loads: p50 {bench.percentile(times, 50):.0f} ms, most {max(times):.0f} ms")
    finally:
        browser.close()
