#!/usr/bin/python3
"""Random messages through the real consumer and random files through the real replay, each judged by reference.py, too.

Tests/Fuzz/fuzz.py [--messages N] [--files N] [--seed S]: ends with 1 and the inputs on which the two differ.
"""
import argparse
import base64
import collections
import concurrent.futures
import datetime as dt
import os
import random
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(ROOT, "Tests/Benchmarks"))
os.environ.setdefault("HEARTBEAT", os.path.join(ROOT, ".build/debug/heartbeat"))

import inputs  # noqa: E402
import psycopg  # noqa: E402
import reference  # noqa: E402
from confluent_kafka import Consumer, Producer, TopicPartition  # noqa: E402

from bench import HEARTBEAT, Lab  # noqa: E402

UTC = dt.UTC
PARTITIONS = 16
# Settings at their ends.
SETTINGS = [
    {}, {"BATCH_ROWS": "1", "CUSTOMERS_IN_MEMORY": "1000", "LATENESS_SECONDS": "3600"},
    {"BATCH_ROWS": "100000", "RETENTION_DAYS": "36500", "CUSTOMERS_IN_MEMORY": "10000000"},
    {"HEART_RATE_MIN": "1", "HEART_RATE_MAX": "299", "RETENTION_DAYS": "1"},
    {"HEART_RATE_MIN": "299", "HEART_RATE_MAX": "299", "EPISODE_DELAY_SECONDS": "0", "EPISODE_WINDOW_SECONDS": "1"},
    {"MAX_MESSAGE_BYTES": "256"}, {"MAX_MESSAGE_BYTES": "10485760"},
    {"MAX_CLOCK_SKEW_SECONDS": "0"}, {"MAX_CLOCK_SKEW_SECONDS": "86400"},
]


def verdict(value, settings):
    """('stored', customer, microseconds, bpm, reason) or ('rejected', code)."""
    skew = int(settings.get("MAX_CLOCK_SKEW_SECONDS", 300)) * 1_000_000
    try:
        customer, micros, bpm = reference.decode(
            value, time.time_ns() // 1000, skew, int(settings.get("MAX_MESSAGE_BYTES", 65_536)))
    except reference.Rejected as rejected:
        return "rejected", rejected.args[0]
    low, high = int(settings.get("HEART_RATE_MIN", 40)), int(settings.get("HEART_RATE_MAX", 180))
    return "stored", customer, micros, bpm, reference.anomaly(bpm, low, high)


class Messages:
    """A pipeline that is given random messages."""

    def __init__(self, lab, seed):
        self.lab, self.rnd, self.consumer, self.settings = lab, random.Random(seed), None, {}
        self.next = collections.Counter()
        self.producer = Producer({"bootstrap.servers": lab.bootstrap, "linger.ms": 20, "acks": "all",
                                  "message.max.bytes": 2_000_000})
        self.problems = []

    def start(self, settings):
        self.stop()
        self.settings = settings
        self.consumer = subprocess.Popen([HEARTBEAT, "consumer"], env=self.lab.environment(settings),
                                         stderr=open(os.path.join(self.lab.folder, "consumer.log"), "ab"))

    def stop(self):
        if self.consumer is None:
            return
        self.consumer.terminate()
        if self.consumer.wait(60) != 0:
            self.problems.append(f"the consumer ended with {self.consumer.returncode} under {self.settings}")
        self.consumer = None

    def publish(self, count):
        """Publishes; returns the verdicts by partition and offset."""
        places, failed = {}, []

        def delivered(number):
            def report(error, message):
                if error:
                    failed.append(error)
                else:
                    places[(message.partition(), message.offset())] = number
            return report

        now = dt.datetime.now(UTC)
        sent = [inputs.message(self.rnd, now) for _ in range(count)]
        for number, (key, value, headers, stamp) in enumerate(sent):
            self.producer.produce(self.lab.topic, value, key, number % PARTITIONS, headers=headers, timestamp=stamp,
                                  on_delivery=delivered(number))
            self.producer.poll(0)
        self.producer.flush(120)
        assert not failed, failed
        return {place: sent[number] for place, number in places.items()}

    def compare(self, sent, connection):
        ends = collections.Counter()
        for partition, offset in sent:
            ends[partition] = max(ends[partition], offset + 1)
        deadline = time.monotonic() + 300
        sources = {}
        while True:
            rows = connection.execute("SELECT source_id, partition, next_offset FROM kafka_offsets").fetchall()
            sources = {source: partition for source, partition, _ in rows}
            if all(next_offset >= ends[partition] for _, partition, next_offset in rows) and len(rows) >= len(ends):
                break
            if self.consumer.poll() is not None or time.monotonic() > deadline:
                self.problems.append(f"the consumer is stuck under {self.settings}: {self.consumer.poll()}, {rows}")
                return False
            time.sleep(0.05)
        first = min(offset for _, offset in sent)
        found = {}
        for source, offset, customer, micros, bpm, reason in connection.execute(
                """SELECT source_id, kafka_offset, customer_id, (extract(epoch FROM recorded_at) * 1000000)::bigint,
                          heart_rate, anomaly_reason FROM heart_rate_readings WHERE kafka_offset >= %s""", (first,)):
            found[(sources[source], offset)] = ("stored", customer, micros, bpm, reason)
        for source, offset, code, key, value, headers in connection.execute(
                """SELECT source_id, kafka_offset, reason_code, key, payload, headers FROM rejected_messages
                    WHERE kafka_offset >= %s""", (first,)):
            place = (sources[source], offset)
            found[place] = ("rejected", code)
            if place in sent:
                was = sent[place]
                kept = [(name, None if data is None else base64.b64decode(data)) for name, data in headers or []]
                if (key, value, kept) != (was[0], was[1], was[2]):
                    self.problems.append(f"kept otherwise: {was!r}: {(key, value, kept)!r}")
        for place, (_, value, _, _) in sent.items():
            expected = verdict(value, self.settings)
            if found.get(place) != expected:
                self.problems.append(f"{value!r} under {self.settings}: expected {expected}, found {found.get(place)}")
        return True

    def run(self, count, chunk=10_000):
        begun, done = time.monotonic(), 0
        with psycopg.connect(self.lab.dsn("postgres"), autocommit=True) as connection:
            while done < count and len(self.problems) < 20:
                if done % (5 * chunk) == 0 or count <= 5 * chunk:
                    self.start(SETTINGS[(done // chunk) % len(SETTINGS)] if count <= 5 * chunk
                               else SETTINGS[done // (5 * chunk) % len(SETTINGS)])
                # One row a transaction takes its time.
                size = min(chunk if self.settings.get("BATCH_ROWS") != "1" else 2000, count - done)
                if not self.compare(self.publish(size), connection):
                    break
                done += size
        self.stop()
        verify = subprocess.run([HEARTBEAT, "verify"], env=self.lab.environment({"POSTGRES_USER": "postgres"}),
                                capture_output=True, text=True, check=False)
        last = verify.stdout.strip().split("\n")[-1]
        if verify.returncode != 0 or not last.startswith(f"sound: {done} messages = "):
            self.problems.append(verify.stdout + verify.stderr)
        seconds = time.monotonic() - begun
        print(f"{done} messages in {seconds:.0f} s, {done / seconds:.0f}/s; {last}", flush=True)
        return self.problems


def replay_files(seed, count):
    """Replays random files one after another to a broker of their own."""
    rnd, problems = random.Random(seed), []
    broker = subprocess.Popen([HEARTBEAT, "broker", "--topic", "files", "--partitions", "1"], stdin=subprocess.PIPE,
                              stdout=subprocess.PIPE, text=True)
    bootstrap = broker.stdout.readline().strip()
    reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "fuzz", "auto.offset.reset": "earliest"})
    reader.assign([TopicPartition("files", 0, 0)])
    environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": bootstrap, "KAFKA_TOPIC": "files", "KAFKA_PARTITIONS": "1"}
    end = sent_files = 0
    with tempfile.NamedTemporaryFile(suffix=".csv") as file:
        for _ in range(count):
            contents = inputs.file(rnd, dt.datetime.now(UTC))
            skips = rnd.random() < 0.3
            file.seek(0)
            file.truncate()
            file.write(contents)
            file.flush()
            replay = subprocess.run(
                [HEARTBEAT, "producer", "--flat-out", "--replay", file.name] + ["--skip-invalid"] * skips,
                env=environment, capture_output=True, check=False)
            expected = reference.replay(contents, time.time_ns() // 1000, skips)
            if replay.returncode != (78 if expected is None else 0):
                problems.append(f"{contents!r}, {skips}: {replay.returncode}, expected {expected}: {replay.stderr!r}")
                expected = []
            found, wanted = [], expected or []
            while len(found) < len(wanted):
                message = reader.poll(10)
                if message is None or message.error():
                    break
                now = time.time_ns() // 1000
                found.append((*reference.decode(message.value(), now, 300_000_000, 1 << 30), message.key()))
            if found != [(customer, reference.instant(when.encode()), bpm, customer.encode())
                         for customer, when, bpm in wanted]:
                problems.append(f"{contents!r}, skips {skips}: sent {found}, expected {wanted}")
            end += len(found)
            sent_files += bool(wanted)
            if len(problems) > 5:
                break
        _, high = reader.get_watermark_offsets(TopicPartition("files", 0), 10)
        if high != end:
            problems.append(f"{high} messages are in the log, and {end} belong there")
    reader.close()
    broker.terminate()
    broker.wait()
    return problems, sent_files


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=45_000)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    options = parser.parse_args()
    print(f"seed {options.seed}, {HEARTBEAT}", flush=True)
    problems = []
    with Lab(PARTITIONS) as lab:
        if options.messages:
            problems += Messages(lab, options.seed).run(options.messages)
    begun, workers = time.monotonic(), 4
    if options.files:
        with concurrent.futures.ThreadPoolExecutor(workers) as pool:
            futures = [pool.submit(replay_files, options.seed + worker, options.files // workers)
                       for worker in range(workers)]
            found = [future.result() for future in futures]
        problems += [problem for part, _ in found for problem in part]
        seconds = time.monotonic() - begun
        print(f"{options.files} files, {sum(sent for _, sent in found)} of them sent, in {seconds:.0f} s")
    for problem in problems[:20]:
        print(problem[:2000])
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
