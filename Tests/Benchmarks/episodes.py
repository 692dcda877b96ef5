#!/usr/bin/env python3
"""How well episodes are found, against what the simulator knows: recall, false episodes and delay of each kind.

usage: episodes.py [--customers N] [--hours H] [--interval S] [--seed S] [--partitions P] [--artefacts SHARE]
                   [--html FILE]

Simulates N customers for H hours, flat out, with the truth in a file, and gives both to "heartbeat score", which judges
with the daemon's own detector. Its figures:
  true    labels of 20 s and longer; of signal losses only those that are longer than six steps
  recall  of them, those that an episode of the same kind overlaps, of high severity at some time if it is of the heart
  false   episodes that no label explains, for 100 customer-hours. Effort explains a tachycardia that never was of high
          severity, and anything of the heart explains a deviation or a trend: they have no truth of their own
  told    episodes of which people would be told
  delay   from the true beginning until it was raised, and to high severity, in seconds
With --artefacts some readings are replaced, one by one and in bursts, by any rate from 20 to 280 bpm.
Needs the Python package confluent-kafka and a release build of heartbeat.
"""
import argparse
import csv
import datetime as dt
import json
import os
import random
import signal
import subprocess
import sys
import tempfile

from confluent_kafka import Consumer, TopicPartition

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEARTBEAT = os.environ.get("HEARTBEAT", os.path.join(ROOT, ".build/release/heartbeat"))
KINDS = ("bradycardia", "tachycardia", "signal loss", "deviation", "trend")
TARGET_RECALL, TARGET_FALSE, TARGET_WITH_ARTEFACTS = 0.99, 1.0, 2.0

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--customers", type=int, default=200)
ap.add_argument("--hours", type=float, default=6)
ap.add_argument("--interval", type=float, default=1)
ap.add_argument("--seed", type=int, default=1)
# The embedded broker keeps 5 MiB of each: some five customers' for six hours.
ap.add_argument("--partitions", type=int, default=400)
ap.add_argument("--artefacts", type=float, default=0)
ap.add_argument("--html")
a = ap.parse_args()


def simulate(folder, bootstrap, truth):
    """Publishes the run."""
    began = dt.datetime.now(dt.UTC).replace(microsecond=0) - dt.timedelta(hours=a.hours * 1.05 + 1)
    # A sensor's silences come as often whatever the interval is.
    environment = {
        **os.environ, "KAFKA_BOOTSTRAP_SERVERS": bootstrap, "KAFKA_PARTITIONS": str(a.partitions),
        "NUM_CUSTOMERS": str(a.customers), "INTERVAL_SECONDS": str(a.interval), "SEED": str(a.seed),
        "SEND_ACTIVITY": "true", "DROPOUT_RATE": str(0.0002 * a.interval), "RDKAFKA_LINGER_MS": "500"}
    subprocess.run([HEARTBEAT, "producer", "--flat-out", "--begin", began.isoformat(), "--truth", truth,
                    "--count", str(int(a.customers * a.hours * 3600 / a.interval))],
                   check=True, env=environment, stderr=open(os.path.join(folder, "producer.log"), "wb"))


def record(bootstrap, path):
    """Writes what the topic has as a recording."""
    rnd, bursts = random.Random(a.seed), {}
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": "episodes", "enable.partition.eof": True,
                         "auto.offset.reset": "earliest", "fetch.wait.max.ms": 10})
    consumer.assign([TopicPartition("heartbeat", p, 0) for p in range(a.partitions)])
    left, latest = a.partitions, dt.datetime.now(dt.UTC) + dt.timedelta(minutes=5)
    with open(path, "w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["customer_id", "recorded_at", "heart_rate", "activity"])
        while left:
            for message in consumer.consume(10_000, 1):
                if message.error():
                    left -= 1
                    continue
                try:
                    reading = json.loads(message.value())
                    customer, when = reading["customer_id"], dt.datetime.fromisoformat(reading["timestamp"])
                    bpm = int(reading["heart_rate"])
                except (ValueError, KeyError, TypeError, OverflowError):
                    continue  # the simulator's malformed messages
                if not isinstance(customer, str) or not 0 < len(customer) <= 50 or "\0" in customer:
                    continue
                if not 0 < bpm < 300 or when.tzinfo is None or when > latest:
                    continue  # the consumer would reject it
                if a.artefacts and rnd.random() < a.artefacts / 10:
                    bursts[customer] = rnd.randint(2, 4)
                if a.artefacts and (bursts.get(customer, 0) > 0 or rnd.random() < a.artefacts):
                    bursts[customer] = bursts.get(customer, 0) - 1
                    bpm = rnd.randint(20, 280)
                rows.writerow([customer, when.isoformat(), bpm, reading.get("activity", "")])
    consumer.close()


def score(folder):
    broker = subprocess.Popen([HEARTBEAT, "broker", "--topic", "heartbeat", "--partitions", str(a.partitions)],
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    try:
        bootstrap = broker.stdout.readline().strip()
        recording, truth = (os.path.join(folder, name) for name in ("recording.csv", "truth.csv"))
        simulate(folder, bootstrap, truth)
        record(bootstrap, recording)
    finally:
        broker.send_signal(signal.SIGTERM)
        broker.wait()
    page = ["--html", a.html] if a.html else []
    return json.loads(subprocess.run([HEARTBEAT, "score", recording, "--labels", truth, "--json", *page], check=True,
                                     capture_output=True, text=True).stdout)


def shown(figure):
    if figure is None:
        return "-"
    return round(figure, 4) if isinstance(figure, float) else figure


def main():
    with tempfile.TemporaryDirectory(prefix="heartbeat-bench-") as folder:
        result = score(folder)
    print(f"{a.customers} customers, {result['customer_hours']:.0f} customer-hours, a reading each {a.interval:g} s, "
          f"seed {a.seed}, artefacts {a.artefacts:g}")
    columns = ("true", "raised", "told", "missed", "recall", "false", "false_per_100h", "falsely_told", "delay_p50",
               "delay_p95", "high_delay_p50", "high_delay_p95")
    print(f"{'kind':12}" + "".join(f"{c:>15}" for c in columns))
    for kind in KINDS:
        print(f"{kind:12}" + "".join(f"{shown(result[kind][c]):>15}" for c in columns))
    most = TARGET_WITH_ARTEFACTS if a.artefacts else TARGET_FALSE
    reached = all((result[k]["recall"] is None or result[k]["recall"] >= TARGET_RECALL)
                  and result[k]["false_per_100h"] <= most for k in KINDS)
    print(json.dumps({"reached": reached, **result}))
    if not reached:
        sys.exit(1)


main()
