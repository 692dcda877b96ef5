#!/usr/bin/python3
"""Random messages through the real consumer and random files through the real replay, each judged by reference.py, too.

Tests/Fuzz/fuzz.py [--messages N] [--files N] [--seconds N] [--seed S]: ends with 1 and what the two differ on.
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
# How many messages are published before they are looked at.
CHUNK = 10_000
# How many messages a consumer reads, and its settings, at their ends. One row a transaction takes its time, and so do
# partitions for all days of 28 years.
ROUNDS = [
    (50_000, {}), (1000, {"BATCH_ROWS": "1", "CUSTOMERS_IN_MEMORY": "1000", "LATENESS_SECONDS": "3600"}),
    (50_000, {"BATCH_ROWS": "100000", "CUSTOMERS_IN_MEMORY": "10000000"}),
    (50_000, {"HEART_RATE_MIN": "1", "HEART_RATE_MAX": "299", "RETENTION_DAYS": "1"}),
    (50_000, {"HEART_RATE_MIN": "298", "HEART_RATE_MAX": "299", "EPISODE_DELAY_SECONDS": "0",
              "EPISODE_WINDOW_SECONDS": "1"}),
    (50_000, {"MAX_MESSAGE_BYTES": "256"}), (50_000, {"MAX_MESSAGE_BYTES": "10485760"}),
    (50_000, {"MAX_CLOCK_SKEW_SECONDS": "0"}), (50_000, {"MAX_CLOCK_SKEW_SECONDS": "86400"}),
    (500, {"RETENTION_DAYS": "36500"}),
]


def now_micros():
    return time.time_ns() // 1000


def verdict(value, settings, now):
    """('stored', customer, microseconds, bpm, reason) or ('rejected', code)."""
    skew = int(settings.get("MAX_CLOCK_SKEW_SECONDS", 300)) * 1_000_000
    try:
        customer, micros, bpm = reference.decode(value, now, skew, int(settings.get("MAX_MESSAGE_BYTES", 65_536)))
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

    def compare(self, sent, begun, connection):
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
        ended = now_micros()
        for place, (_, value, _, _) in sent.items():
            expected, is_found = verdict(value, self.settings, begun), found.get(place)
            # A time that was ahead of the clock when it was sent need not be any more when it is read.
            if is_found != expected and is_found != verdict(value, self.settings, ended):
                self.problems.append(f"{value!r} under {self.settings}: expected {expected}, found {is_found}")
        return not self.problems

    def run(self, count):
        begun, done, round_number = time.monotonic(), 0, 0
        with psycopg.connect(self.lab.dsn("postgres"), autocommit=True) as connection:
            while done < count and not self.problems:
                amount, settings = ROUNDS[round_number % len(ROUNDS)]
                # All of them, also where there are few messages.
                left = min(amount, count - done, max(500, count // len(ROUNDS)))
                round_number += 1
                self.start(settings)
                while left and not self.problems:
                    size, moment = min(CHUNK, left), now_micros()
                    if self.compare(self.publish(size), moment, connection):
                        left, done = left - size, done + size
                print(f"{done} messages after {time.monotonic() - begun:.0f} s", flush=True)
        self.stop()
        verify = subprocess.run([HEARTBEAT, "verify"], env=self.lab.environment({"POSTGRES_USER": "postgres"}),
                                capture_output=True, text=True, check=False)
        last = verify.stdout.strip().split("\n")[-1]
        if verify.returncode != 0 or not last.startswith(f"sound: {done} messages = "):
            self.problems.append(verify.stdout + verify.stderr)
        seconds = time.monotonic() - begun
        print(f"{done} messages in {seconds:.0f} s, {done / seconds:.0f}/s; {last}", flush=True)
        return self.problems


class Files:
    """Random files, replayed one after another to a broker of their own."""

    def __init__(self, seed):
        self.rnd, self.problems = random.Random(seed), []
        self.done = self.sent = self.messages = 0
        self.broker = subprocess.Popen([HEARTBEAT, "broker", "--topic", "files", "--partitions", "1"],
                                       stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        bootstrap = self.broker.stdout.readline().strip()
        self.reader = Consumer({"bootstrap.servers": bootstrap, "group.id": "fuzz", "fetch.wait.max.ms": 10})
        self.reader.assign([TopicPartition("files", 0, 0)])
        self.environment = {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": bootstrap, "KAFKA_TOPIC": "files",
                            "KAFKA_PARTITIONS": "1"}

    def replay(self, path):
        """Replays a file; returns it and the messages that it has to become."""
        contents, skips = inputs.file(self.rnd, dt.datetime.now(UTC)), self.rnd.random() < 0.3
        with open(path, "wb") as file:
            file.write(contents)
        begun = now_micros()
        replay = subprocess.run(
            [HEARTBEAT, "producer", "--flat-out", "--replay", path] + ["--skip-invalid"] * skips,
            env=self.environment, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False)
        # A time that was ahead of the clock when the file was made need not be any more.
        wanted = {78 if rows is None else 0: rows
                  for rows in (reference.replay(contents, now, skips) for now in (now_micros(), begun))}
        if replay.returncode not in wanted:
            self.problems.append(f"{contents!r}, {skips}: {replay.returncode}, expected {wanted}: {replay.stderr!r}")
        return contents, skips, wanted.get(replay.returncode) or []

    def compare(self, replayed):
        """Reads what was sent, file by file."""
        for contents, skips, wanted in replayed:
            found = []
            while len(found) < len(wanted):
                message = self.reader.poll(60)
                if message is None or message.error():
                    break
                decoded = reference.decode(message.value(), now_micros(), 300_000_000, 1 << 30)
                found.append((*decoded, message.key()))
            if found != [(customer, reference.instant(when.encode()), bpm, customer.encode())
                         for customer, when, bpm in wanted]:
                self.problems.append(f"{contents!r}, skips {skips}: sent {found}, expected {wanted}")
                return
            self.messages += len(found)
            self.sent += bool(found)
        _, high = self.reader.get_watermark_offsets(TopicPartition("files", 0), 10)
        if high != self.messages:
            self.problems.append(f"{high} messages are in the log, and {self.messages} belong there")

    def run(self, count, deadline):
        with tempfile.TemporaryDirectory() as folder:
            while self.done < count and not self.problems and time.monotonic() < deadline:
                size = min(100, count - self.done)
                self.compare([self.replay(os.path.join(folder, "file.csv")) for _ in range(size)])
                self.done += size
        self.reader.close()
        self.broker.terminate()
        self.broker.wait()
        return self.problems, self.done, self.sent


def replay_files(seed, count, deadline):
    return Files(seed).run(count, deadline)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=45_000)
    parser.add_argument("--files", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=float("inf"), help="after which no more files are begun")
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1 << 30))
    options = parser.parse_args()
    print(f"seed {options.seed}, {HEARTBEAT}", flush=True)
    problems, begun, workers = [], time.monotonic(), 4 * (os.cpu_count() or 1)
    # Most of the time of one replay is waiting, and starting a process; so many run beside the messages.
    with concurrent.futures.ProcessPoolExecutor(workers) as pool:
        futures = [pool.submit(replay_files, options.seed + worker, options.files // workers, begun + options.seconds)
                   for worker in range(workers if options.files else 0)]
        if options.messages:
            with Lab(PARTITIONS) as lab:
                problems += Messages(lab, options.seed).run(options.messages)
        found = [future.result() for future in futures]
    if options.files:
        problems += [problem for part, _, _ in found for problem in part]
        done, sent = (sum(numbers) for numbers in list(zip(*found, strict=True))[1:])
        print(f"{done} files, {sent} of them sent, in {time.monotonic() - begun:.0f} s")
    for problem in problems[:20]:
        print(problem[:2000])
    sys.exit(1 if problems else 0)


if __name__ == "__main__":
    main()
