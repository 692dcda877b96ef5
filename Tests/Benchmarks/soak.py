#!/usr/bin/env python3
"""Half an hour at full work, with days that pass in a minute: does anything grow?

usage: soak.py [--minutes M] [--rate R] [--customers C]

A sender publishes R readings a second whose time stamps run through a day in a minute, the first day being two months
ago. Each minute `heartbeat database maintain` seals what is older than two of these days and drops what is older than
ten. Each minute one line: latency by a probe message each 50 ms, the consumer's memory, open files, threads and lines
in its log, its lag, and the size of the database.
Needs Python packages confluent-kafka and psycopg[binary], and a release build of heartbeat.
"""
import argparse
import datetime as dt
import multiprocessing
import os
import subprocess
import time

import psycopg
from confluent_kafka import Producer

from bench import HEARTBEAT, UTC, Lab, Probe, cpu_s, daemon, memory_mb, payload, percentile

FIRST_DAY_AGO, SEALED_AFTER, KEPT = 60, 2, 10


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--minutes", type=int, default=30, help=f"at most {FIRST_DAY_AGO - SEALED_AFTER}")
    parser.add_argument("--rate", type=int, default=20_000)
    parser.add_argument("--customers", type=int, default=1000)
    return parser.parse_args()


def send(bootstrap, topic, options, first, sent, ended):
    """Readings of all customers in turn, as many a second, through a day in a minute; in a process of its own."""
    producer = Producer({"bootstrap.servers": bootstrap, "linger.ms": 5, "acks": "all", "partitioner": "murmur2_random",
                         "queue.buffering.max.messages": 500_000})
    began, count = time.time(), 0
    while not ended.is_set():
        due = int((time.time() - began) * options.rate)
        while count < due:
            customer = f"cust_{count % options.customers + 1:05d}"
            when = first + dt.timedelta(days=count / options.rate / 60)
            bpm = 70 + count // options.customers % 11
            try:
                producer.produce(topic, payload(customer, when.isoformat(), bpm), customer.encode())
            except BufferError:
                producer.poll(0.05)
                continue
            count += 1
        sent.value = count
        producer.poll(0)
        time.sleep(0.005)
    producer.flush(60)


def maintain(lab, day):
    """What maintenance does on the day with this number, by the sender's calendar."""
    ago = FIRST_DAY_AGO - day
    log = os.path.join(lab.folder, "maintain.log")
    with open(log, "w", encoding="utf-8") as file:
        subprocess.run(
            [HEARTBEAT, "database", "maintain", "--config", "/dev/null"], stderr=file, check=True,
            env=lab.environment({"POSTGRES_USER": "postgres", "SEAL_AFTER_DAYS": str(ago + SEALED_AFTER),
                                 "RETENTION_DAYS": str(ago + KEPT)}))
    with open(log, encoding="utf-8") as file:
        return file.read().strip().splitlines()[-1].split("done: ")[-1]


def stored(connection):
    return connection.execute("""
        SELECT coalesce(sum(readings + rejected), 0)::bigint, pg_database_size(current_database()) / 1e6
          FROM kafka_offsets""").fetchone()


def main():
    options = arguments()
    with Lab(8) as lab, daemon(lab, ["consumer"], {"KAFKA_GROUP_ID": "soak"}, "ready") as (consumer, _):
        probe = Probe(lab)
        midnight = dt.datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        sent, ended = multiprocessing.Value("q"), multiprocessing.Event()
        sender = multiprocessing.Process(
            target=send,
            args=(lab.bootstrap, lab.topic, options, midnight - dt.timedelta(days=FIRST_DAY_AGO), sent, ended))
        probe.start()
        sender.start()
        log = os.path.join(lab.folder, "consumer.log")
        with psycopg.connect(lab.dsn("postgres"), autocommit=True) as connection:
            lines, cpu = 0, 0
            for minute in range(1, options.minutes + 1):
                began = time.time()
                did = maintain(lab, minute)
                time.sleep(max(0, began + 60 - time.time()))
                with open(log, encoding="utf-8") as file:
                    now = sum(1 for _ in file)
                count, size = stored(connection)
                times = probe.latencies(began, time.time() - 1)
                print(f"minute {minute:2}: p50 {percentile(times, 50):.1f} ms, p99 {percentile(times, 99):.1f} ms, "
                      f"most {max(times):.0f} ms; memory {memory_mb(consumer.pid, 'VmRSS'):.1f} MB, "
                      f"files {len(os.listdir(f'/proc/{consumer.pid}/fd'))}, "
                      f"threads {len(os.listdir(f'/proc/{consumer.pid}/task'))}, lines {now - lines}, "
                      f"CPU {(cpu_s(consumer.pid) - cpu) / 0.6:.0f} %; "
                      f"lag {sent.value + len(probe.sent) - count}, database {size:.0f} MB; {did}", flush=True)
                lines, cpu = now, cpu_s(consumer.pid)
        ended.set()
        probe.ended.set()
        sender.join()
        probe.join()
        time.sleep(2)
        subprocess.run([HEARTBEAT, "verify", "--config", "/dev/null"], check=False,
                       env=lab.environment({"POSTGRES_USER": "postgres"}))


if __name__ == "__main__":
    main()
