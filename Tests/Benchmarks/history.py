#!/usr/bin/env python3
"""A long history, before and after its days are sealed, and what sealing costs those who live meanwhile.

usage: history.py [--customers C] [--rate R] [--seconds S] [--rounds N]

Fills a private PostgreSQL with one day of each customer at one reading a second and a month before it at one in three
minutes. Then, once with all of it in rows and once with all of it sealed: what the page asks, the readings of a month
as CSV, the report of a week, and `heartbeat verify`. Between the two `heartbeat database maintain` seals all days while
a producer sends R readings a second and a consumer stores them. A probe message each 50 ms tells how long one takes
until another session sees its row: for S seconds before the sealing, and during it. Whoever waits for a lock for longer
than 100 ms is found in the server's log.

A thousand customers are a hundred million readings: 23 GB, half an hour.
Needs Python packages confluent-kafka and psycopg[binary], and a release build of heartbeat.
"""
import argparse
import datetime as dt
import http.client
import json
import os
import random
import re
import shutil
import subprocess
import time
import urllib.parse

import psycopg

from bench import HEARTBEAT, UTC, Lab, Probe, daemon, indexed_later, memory_mb, percentile, told

SPARSE_DAYS, SPARSE_STEP = 28, 180
FULL_DAY_AGO = 3
COLUMNS = "(customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, source_id, kafka_offset)"


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--customers", type=int, default=1000, help="100,000 readings each")
    parser.add_argument("--rate", type=int, default=20_000, help="readings a second while it is sealed")
    parser.add_argument("--seconds", type=float, default=120, help="of latency before the sealing")
    parser.add_argument("--rounds", type=int, default=20, help="of each question")
    return parser.parse_args()


class History:
    """The readings, and what is asked of them."""

    def __init__(self, lab, customers, rounds):
        self.lab, self.customers, self.rounds = lab, customers, rounds
        today = dt.datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
        self.full_day = today - dt.timedelta(days=FULL_DAY_AGO)
        self.first = self.full_day - dt.timedelta(days=SPARSE_DAYS)

    def fill(self):
        """Rows as a consumer would write them, of one partition of Kafka in the order of its offsets."""
        free = shutil.disk_usage(self.lab.folder).free / 1e9
        if free < self.customers * 100_000 * 400 / 1e9 + 5:
            raise SystemExit(f"too little disk: {free:.0f} GB free")
        week = self.full_day - dt.timedelta(days=6)
        with psycopg.connect(self.lab.dsn("postgres"), autocommit=True) as connection:
            connection.execute("SELECT create_readings_partition(%s::date + d) FROM generate_series(0, %s) AS d",
                               (self.first.date(), SPARSE_DAYS))
            count = 0
            with indexed_later(connection):
                for day in range(SPARSE_DAYS):
                    count += self.insert(connection, self.first + dt.timedelta(days=day), 86400, SPARSE_STEP, count)
                for hour in range(24):
                    count += self.insert(connection, self.full_day + dt.timedelta(hours=hour), 3600, 1, count)
            connection.execute(f"""
                INSERT INTO kafka_offsets (cluster_id, topic, partition, first_offset, next_offset, readings, anomalies)
                SELECT 'history', 'history', 0, 0, {count}, {count}, count(*) FROM heart_rate_readings WHERE is_anomaly;
                INSERT INTO customers SELECT 'cust_' || lpad(n::text, 5, '0')
                  FROM generate_series(1, {self.customers}) AS n;
                INSERT INTO customer_state (customer_id, recorded_at, heart_rate, is_anomaly, readings, anomalies)
                SELECT customer_id, now() - interval '3 days', 70, false, {count // self.customers}, 0 FROM customers;
                INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at,
                                      closed_at, readings, reason)
                SELECT customer_id, 'tachycardia', 'medium', 'high', t, t, t, t + interval '1 minute', 60,
                       'bpm 185 to 201 for 60 s, limit 180'
                  FROM customers, generate_series(0, 6) AS d,
                       LATERAL (SELECT '{week}'::timestamptz + (d + random()) * interval '1 day') AS x (t)""")
            connection.execute("VACUUM ANALYZE")
        return count

    def insert(self, connection, begin, seconds, step, offset):
        """A reading of every customer at each step; rates walk a little, and no sensor is quite on time."""
        return connection.execute(f"""
            INSERT INTO heart_rate_readings {COLUMNS}
            SELECT 'cust_' || lpad(n::text, 5, '0'),
                   %s::timestamptz + s * interval '{step} seconds' + random() * interval '40 milliseconds',
                   bpm, bpm > 180,
                   CASE WHEN bpm > 180 THEN 'tachycardia (bpm=' || bpm || ' > threshold=180)' END,
                   1, %s + s * {self.customers} + n - 1
              FROM generate_series(0, {seconds // step - 1}) AS s
             CROSS JOIN generate_series(1, {self.customers}) AS n
             CROSS JOIN LATERAL (SELECT CASE WHEN (n + s) %% 997 = 0 THEN 190
                                        ELSE 70 + (12 * sin(s / 60.0 + n) + 3 * random())::int END AS bpm) AS x""",
            (begin, offset)).rowcount

    def questions(self):
        """Paths of the dashboard by name; each call may choose another customer."""
        def customer():
            return f"cust_{random.randint(1, self.customers):05d}"

        def span(begin, **length):
            until = begin + dt.timedelta(**length)
            return urllib.parse.urlencode({"from": begin.isoformat(), "until": until.isoformat()})

        hour = self.full_day + dt.timedelta(hours=9)
        return {
            "state": lambda: "/api/v1/state",
            "customer": lambda: f"/api/v1/customer?customer_id={customer()}",
            "readings of an hour": lambda: f"/api/v1/readings?customer_id={customer()}&{span(hour, hours=1)}",
            "readings of a day": lambda: f"/api/v1/readings?customer_id={customer()}&{span(self.full_day, days=1)}",
            "readings of a month": lambda: f"/api/v1/readings?customer_id={customer()}&{span(self.first, days=29)}",
            "anomalies of a day": lambda:
                f"/api/v1/anomalies?customer_id={customer()}&{span(self.full_day, days=1)}",
            "CSV of a month": lambda: f"/api/v1/readings.csv?customer_id={customer()}&{span(self.first, days=29)}",
            "report of a week": lambda: f"/api/v1/report?{span(self.full_day - dt.timedelta(days=6), days=7)}",
            "report of a customer's week": lambda:
                f"/api/v1/report?customer_id={customer()}&{span(self.full_day - dt.timedelta(days=6), days=7)}",
        }

    def ask(self, port):
        """How long each answer takes."""
        random.seed(1)
        for name, path in self.questions().items():
            times, size = [], 0
            for _ in range(2 if name == "report of a week" else self.rounds):
                began = time.perf_counter()
                connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
                connection.request("GET", path())
                answer = connection.getresponse()
                body = answer.read()
                size = len(body)
                times.append(1000 * (time.perf_counter() - began))
                if answer.status != 200:
                    raise SystemExit(f"{name}: {answer.status} {body[:500]}")
            print(f"  {name:28} p50 {percentile(times, 50):8.1f} ms  max {max(times):8.1f} ms  {size / 1000:8.1f} kB",
                  flush=True)

    def verify(self, *arguments):
        began = time.monotonic()
        result = subprocess.run(
            [HEARTBEAT, "verify", "--config", "/dev/null", *arguments], capture_output=True, text=True, check=False,
            env=self.lab.environment({"POSTGRES_USER": "postgres"}))
        took = time.monotonic() - began
        lines = (result.stdout + result.stderr).strip().splitlines()
        name = " ".join(["verify", *arguments])
        print(f"  {name:28} {took:.2f} s, status {result.returncode}: {lines[-1]}", flush=True)

    def size(self):
        with psycopg.connect(self.lab.dsn("postgres")) as connection:
            return connection.execute("""
                SELECT (SELECT sum(pg_total_relation_size(relid)) FROM pg_partition_tree('heart_rate_readings')),
                       pg_total_relation_size('sealed_readings'), pg_total_relation_size('customer_rollups')
                """).fetchone()


def stored(lab):
    with psycopg.connect(lab.dsn("postgres")) as connection:
        return connection.execute("""
            SELECT coalesce(sum(readings), 0)::bigint FROM kafka_offsets WHERE topic <> 'history'""").fetchone()[0]


def seal(lab, options):
    """Seals all days beside producer and consumer."""
    sending = {"NUM_CUSTOMERS": str(options.rate), "POSTGRES_USER": "postgres"}
    with daemon(lab, ["consumer"], {"KAFKA_GROUP_ID": "history"}, "ready") as (consumer, _), \
            daemon(lab, ["producer"], sending, "ready"):
        probe = Probe(lab)
        probe.start()
        time.sleep(10)
        (began, before) = (time.time(), stored(lab))
        time.sleep(options.seconds)
        alone = time.time()
        rate = (stored(lab) - before) / (alone - began)
        told(f"{rate:,.0f}/s, nothing sealed", probe.latencies(began, alone - 1))
        log = open(os.path.join(lab.folder, "maintain.log"), "w+", encoding="utf-8")
        maintenance = subprocess.Popen([HEARTBEAT, "database", "maintain", "--config", "/dev/null"], stderr=log,
                                       env=lab.environment({"POSTGRES_USER": "postgres", "SEAL_AFTER_DAYS": "2"}))
        before, said = stored(lab), alone
        while maintenance.poll() is None:
            time.sleep(0.5)
            if time.time() > said + 300:
                told(f"after {time.time() - alone:.0f} s", probe.latencies(said, time.time() - 1))
                said = time.time()
        end = time.time()
        rate = (stored(lab) - before) / (end - alone)
        told(f"{rate:,.0f}/s beside the sealing", probe.latencies(alone, end - 1))
        print(f"  consumer's memory: {memory_mb(consumer.pid, 'VmHWM'):.0f} MB at its peak")
        log.seek(0)
        print("  " + log.read().strip().splitlines()[-1])
        probe.ended.set()
        probe.join()
    # So that what follows is about the history alone.
    with psycopg.connect(lab.dsn("postgres"), autocommit=True) as connection:
        connection.execute("""
            TRUNCATE heart_rate_readings, rejected_messages;
            DELETE FROM kafka_offsets WHERE topic <> 'history'""")
    return end - alone


def longest_waits(lab):
    """What the server says of those who waited for a lock for longer than 100 ms."""
    with open(os.path.join(lab.socket, "log"), encoding="utf-8") as log:
        return [line.strip() for line in log if re.search("still waiting for|acquired .* after", line)]


def main():
    options = arguments()
    with Lab(8) as lab:
        with psycopg.connect(f"host={lab.socket} dbname=postgres user=postgres", autocommit=True) as connection:
            for setting in ("max_wal_size = '8GB'", "shared_buffers = '1GB'", "maintenance_work_mem = '1GB'",
                            "log_lock_waits = on", "deadlock_timeout = '100ms'"):
                connection.execute(f"ALTER SYSTEM SET {setting}")
        lab.postgres("restart")
        lab.reset()
        history = History(lab, options.customers, options.rounds)
        began = time.monotonic()
        count = history.fill()
        rows = history.size()[0]
        print(f"{count:,} readings of {options.customers:,} customers, {rows / count:.0f} bytes each, filled in "
              f"{time.monotonic() - began:.0f} s", flush=True)
        looking = {"POSTGRES_USER": "heartbeat-dashboard", "DASHBOARD_PORT": "0"}
        with daemon(lab, ["dashboard"], looking, r"serving on http://\S+:(\d+)") as (_, found):
            print("in rows:", flush=True)
            history.ask(int(found.group(1)))
            history.verify()
            print("sealing:", flush=True)
            took = seal(lab, options)
            print(f"  {count:,} readings in {took:.0f} s, {count / took:,.0f}/s", flush=True)
            print(f"  waits for a lock of more than 100 ms: {json.dumps(longest_waits(lab)[:10])}", flush=True)
            _, sealed, rollups = history.size()
            print(f"sealed, {sealed / count:.2f} bytes each and {rollups / count:.2f} of roll-ups:", flush=True)
            history.ask(int(found.group(1)))
        history.verify()
        history.verify("--deep")


if __name__ == "__main__":
    main()
