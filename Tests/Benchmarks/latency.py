#!/usr/bin/env python3
"""How long a message takes from produce() to its visible row, beside a bare consumer of the same messages.

usage: latency.py [--rates 20,1000] [--seconds S] [--runs R]

In each run the same messages are seen by two: a bare Kafka consumer that only notes the time, and an observer in
PostgreSQL that polls for new rows every 2 ms while `heartbeat consumer` works. The difference is what heartbeat adds.
Needs Python packages confluent-kafka and psycopg[binary], and a release build of heartbeat.
"""
import argparse, datetime as dt, json, multiprocessing, os, signal, statistics, subprocess, threading, time

import psycopg
from confluent_kafka import Consumer, Producer

import bench

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--rates", default="20,1000")
ap.add_argument("--seconds", type=float, default=10)
ap.add_argument("--runs", type=int, default=3)
ap.add_argument("--customers", type=int, default=100)
a = ap.parse_args()


def bare_consumer(bootstrap, topic, pipe):
    """Notes when each message arrives; sends {timestamp: time} when told to end."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": f"bare{os.getpid()}", "fetch.wait.max.ms": 10,
                         "session.timeout.ms": 6000, "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([topic])
    seen = {}
    while not pipe.poll():
        message = consumer.poll(0.1)
        if message is not None and message.error() is None:
            seen[json.loads(message.value())["timestamp"]] = time.time()
    pipe.send(seen)
    consumer.close()


class Observer(threading.Thread):
    """Notes when each row becomes visible to another session."""

    def __init__(self, dsn):
        super().__init__(daemon=True)
        self.dsn, self.seen, self.done = dsn, {}, threading.Event()

    def run(self):
        with psycopg.connect(self.dsn, autocommit=True) as connection:
            last = 0
            while not self.done.is_set():
                # Looks back a little: ids of one transaction become visible together.
                rows = connection.execute("SELECT id, recorded_at FROM heart_rate_readings WHERE id > %s",
                                          (last - 100,)).fetchall()
                now = time.time()
                for number, when in rows:
                    self.seen.setdefault(when.astimezone(bench.UTC).isoformat(), now)
                    last = max(last, number)
                time.sleep(0.002)


def measure(lab, rate):
    """One run: milliseconds of each message until the bare consumer has it, and until its row is visible."""
    lab.reset()
    ours = subprocess.Popen([bench.HEARTBEAT, "consumer"], stderr=subprocess.DEVNULL,
                            env=lab.environment({"KAFKA_GROUP_ID": f"ours{time.time_ns()}"}))
    here, there = multiprocessing.Pipe()
    bare = multiprocessing.Process(target=bare_consumer, args=(lab.bootstrap, lab.topic, there))
    bare.start()
    observer = Observer(lab.dsn("postgres"))
    observer.start()
    producer = Producer({"bootstrap.servers": lab.bootstrap, "linger.ms": 0, "acks": "all"})
    sent = {}

    def send(number):
        now = time.time()
        when = dt.datetime.fromtimestamp(now, bench.UTC).replace(microsecond=int(now * 1e6) % 1_000_000 or 1)
        if when.isoformat() in sent:
            when += dt.timedelta(microseconds=1)
        sent[when.isoformat()] = now
        customer = "cust_%04d" % (number % a.customers + 1)
        producer.produce(lab.topic, bench.payload(customer, when.isoformat(), 70), customer.encode())
        producer.poll(0)

    number = 0
    while number < 20 or not observer.seen:  # until rows flow
        send(number)
        number += 1
        time.sleep(0.05)
    time.sleep(1)
    sent.clear()
    begin, count = time.time(), int(rate * a.seconds)
    for k in range(count):
        time.sleep(max(0, begin + k / rate - time.time()))
        send(number + k)
    producer.flush(30)
    deadline = time.time() + 30
    while not sent.keys() <= observer.seen.keys() and time.time() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    here.send(None)
    bare_seen = here.recv()
    bare.join()
    observer.done.set()
    ours.send_signal(signal.SIGTERM)
    ours.wait()
    if not sent.keys() <= observer.seen.keys():
        raise SystemExit("rows are missing")
    return ([1000 * (bare_seen[t] - s) for t, s in sent.items() if t in bare_seen],
            [1000 * (observer.seen[t] - s) for t, s in sent.items()])


def main():
    for rate in map(float, a.rates.split(",")):
        added50, added99 = [], []
        for run in range(a.runs):
            with bench.Lab(4) as lab:
                bare, ours = measure(lab, rate)
            line = {"rate": rate, "run": run, "messages": len(ours)}
            for name, values in (("bare", bare), ("ours", ours)):
                for p in (50, 99):
                    line[f"{name}_p{p}_ms"] = round(bench.percentile(values, p), 2)
            added50.append(line["ours_p50_ms"] - line["bare_p50_ms"])
            added99.append(line["ours_p99_ms"] - line["bare_p99_ms"])
            print(json.dumps(line), flush=True)
        print("MEDIANS " + json.dumps({"rate": rate, "added_p50_ms": round(statistics.median(added50), 2),
                                       "added_p99_ms": round(statistics.median(added99), 2)}))


main()
