#!/usr/bin/env python3
"""How long a message takes from produce() to its visible row, beside a bare consumer of the same messages.

usage: latency.py [--rates 20,1000] [--seconds S] [--runs R] [--kafka HOST:PORT]

In each run the same messages are seen by two: a bare Kafka consumer that only notes the time, and another session of
PostgreSQL that is notified of each transaction which `heartbeat consumer` commits (by a trigger of the benchmark: to
poll costs as much as is measured). The difference is what heartbeat adds.
Needs Python packages confluent-kafka and psycopg[binary], and a release build of heartbeat.
"""
import argparse
import datetime as dt
import json
import multiprocessing
import os
import select
import signal
import statistics
import subprocess
import time

import psycopg
from confluent_kafka import Consumer, Producer

import bench

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--rates", default="20,1000")
ap.add_argument("--seconds", type=float, default=10)
ap.add_argument("--runs", type=int, default=3)
ap.add_argument("--customers", type=int, default=100)
ap.add_argument("--kafka", metavar="HOST:PORT", help="a real Kafka instead of the embedded broker")
a = ap.parse_args()


def bare_consumer(bootstrap, topic, pipe):
    """Notes when each message arrives; sends {timestamp: time} when asked to end."""
    consumer = Consumer({"bootstrap.servers": bootstrap, "group.id": f"bare{os.getpid()}",
                         "fetch.wait.max.ms": 500 if a.kafka else 10, "session.timeout.ms": 6000,
                         "auto.offset.reset": "earliest", "enable.auto.commit": False})
    consumer.subscribe([topic])
    seen = {}
    while not pipe.poll():
        message = consumer.poll(0.1)
        if message is not None and message.error() is None:
            seen[json.loads(message.value())["timestamp"]] = time.time()
    pipe.send(seen)
    consumer.close()


def observe(dsn, pipe):
    """Notes when each transaction becomes visible to another session; sends {timestamp: time} when asked to end."""
    visible = {}
    with psycopg.connect(dsn, autocommit=True) as connection:
        connection.execute("LISTEN stored")
        while not pipe.poll():
            # psycopg's own notifies() has a limit in time only from 3.2 on.
            if select.select([connection], [], [], 0.2)[0]:
                connection.pgconn.consume_input()
            while (notification := connection.pgconn.notifies()) is not None:
                visible[notification.extra.decode()] = time.time()
        rows = connection.execute("SELECT recorded_at, xmin::text FROM heart_rate_readings").fetchall()
    pipe.send({when.astimezone(bench.UTC).isoformat(): visible[xid] for when, xid in rows if xid in visible})


def measure(lab, rate):
    """One run: milliseconds of each message until the bare consumer has it, and until its row is visible."""
    lab.reset()
    connection = psycopg.connect(lab.dsn("postgres"), autocommit=True)
    connection.execute("""
        CREATE FUNCTION announce() RETURNS trigger LANGUAGE plpgsql AS $$
            BEGIN PERFORM pg_notify('stored', pg_current_xact_id()::text); RETURN NULL; END $$;
        CREATE TRIGGER announce AFTER UPDATE ON kafka_offsets FOR EACH STATEMENT EXECUTE FUNCTION announce()""")
    ours = subprocess.Popen([bench.HEARTBEAT, "consumer"], stderr=subprocess.DEVNULL,
                            env=lab.environment({"KAFKA_GROUP_ID": f"ours{time.time_ns()}"}))
    watchers = []
    for watch, arguments in ((bare_consumer, (lab.bootstrap, lab.topic)), (observe, (lab.dsn("postgres"),))):
        here, there = multiprocessing.Pipe()
        process = multiprocessing.Process(target=watch, args=(*arguments, there))
        process.start()
        watchers.append((process, here))
    producer = Producer({"bootstrap.servers": lab.bootstrap, "linger.ms": 0, "acks": "all"})
    sent = {}

    def send(number):
        now = time.time()
        when = dt.datetime.fromtimestamp(now, bench.UTC).replace(microsecond=int(now * 1e6) % 1_000_000 or 1)
        if when.isoformat() in sent:
            when += dt.timedelta(microseconds=1)
        sent[when.isoformat()] = now
        customer = f"cust_{number % a.customers + 1:04d}"
        producer.produce(lab.topic, bench.payload(customer, when.isoformat(), 70), customer.encode())
        producer.poll(0)

    number = 0

    def stored():
        return connection.execute("SELECT sum(readings) FROM kafka_offsets").fetchone()[0] or 0

    while number < 20 or stored() == 0:  # until rows flow
        send(number)
        number += 1
        time.sleep(0.05)
    time.sleep(1)
    sent.clear()
    began, count = time.time(), int(rate * a.seconds)
    for k in range(count):
        time.sleep(max(0, began + k / rate - time.time()))
        send(number + k)
    producer.flush(30)
    deadline = time.time() + 30
    while stored() < number + count and time.time() < deadline:
        time.sleep(0.05)
    time.sleep(0.5)
    connection.close()
    found = []
    for process, pipe in watchers:
        pipe.send(None)
        found.append(pipe.recv())
        process.join()
    ours.send_signal(signal.SIGTERM)
    ours.wait()
    if not all(sent.keys() <= seen.keys() for seen in found):
        raise SystemExit("messages are missing")
    return [[1000 * (seen[t] - s) for t, s in sent.items()] for seen in found]


def main():
    for rate in map(float, a.rates.split(",")):
        added50, added99 = [], []
        for run in range(a.runs):
            with bench.Lab(4, kafka=a.kafka) as lab:
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
