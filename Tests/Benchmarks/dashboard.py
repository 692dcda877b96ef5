#!/usr/bin/env python3
"""The dashboard beside a database with much in it: how fast each answer is, and what many viewers cost.

For each size it fills a database with that many readings, stores some more each second as a consumer would, asks for
everything that the interface has, and then keeps viewers connected while it counts the database's statements.
"""
import argparse
import asyncio
import http.client
import os
import random
import re
import shutil
import subprocess
import threading
import time
import urllib.parse

import psycopg

from bench import HEARTBEAT, Lab, indexed_later, percentile

DAYS = 3
LIVE = 1000  # readings/s


def arguments():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--readings", type=int, nargs="+", default=[2_000_000, 20_000_000])
    parser.add_argument("--customers", type=int, default=10_000)
    parser.add_argument("--requests", type=int, default=200, help="of each kind")
    parser.add_argument("--viewers", type=int, default=200)
    parser.add_argument("--seconds", type=int, default=300, help="with all viewers; a fifth of it with one")
    return parser.parse_args()


def fill(lab, readings, customers):
    """Half of the readings over some days, half a second apart from each other until now; in the order of time."""
    free = shutil.disk_usage(lab.folder).free / 1e9
    if free < readings * 400 / 1e9 + 2:
        raise SystemExit(f"too little disk: {free:.0f} GB free")
    each = readings // customers
    recent = each // 2
    with psycopg.connect(lab.dsn("postgres"), autocommit=True) as connection:
        connection.execute(f"SELECT create_readings_partition((now() AT TIME ZONE 'UTC')::date - d) "
                           f"FROM generate_series(0, {DAYS + 1}) AS d")
        connection.execute("INSERT INTO customers SELECT 'cust_' || lpad(n::text, 5, '0') "
                           f"FROM generate_series(1, {customers}) AS n")
        old = DAYS * 86400 / (each - recent)
        # A step is a reading of every customer, the newest last; steps are numbered backwards from now.
        steps = [f"{recent} + (s - {recent}) * {old}", "s"]
        with indexed_later(connection):
            for expression, last, first in ((steps[0], each - 1, recent), (steps[1], recent - 1, 0)):
                for step in range(last, first - 1, -50):
                    connection.execute(f"""
                        INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly,
                                                         anomaly_reason, source_id, kafka_offset)
                        SELECT 'cust_' || lpad(n::text, 5, '0'), t, bpm, bpm > 180,
                               CASE WHEN bpm > 180 THEN 'tachycardia (bpm=' || bpm || ' > threshold=180)' END,
                               1, s * {customers} + n
                          FROM generate_series({step}, {max(step - 49, first)}, -1) AS s
                         CROSS JOIN LATERAL (SELECT now() - make_interval(secs => {expression}) AS t) AS moment
                         CROSS JOIN LATERAL (
                            SELECT n, CASE WHEN random() < 0.01 THEN 190 ELSE 50 + (random() * 60)::int END AS bpm
                              FROM generate_series(1, {customers}) AS n) AS customer""")
        connection.execute(f"""
            INSERT INTO customer_state
            SELECT customer_id, now(), 70, false, NULL, {each}, {each // 100} FROM customers;
            INSERT INTO episodes (customer_id, kind, severity, worst_severity, opened_at, raised_at, last_seen_at,
                                  closed_at, readings, reason)
            SELECT customer_id, 'tachycardia', 'medium', (ARRAY['medium', 'high'])[1 + n % 2]::episode_severity,
                   t, t, t, CASE WHEN n > 0 OR random() < 0.99 THEN t + interval '1 min' END, 60,
                   'bpm 185 to 201 for 60 s, limit 180'
              FROM (SELECT customer_id, n,
                           now() - make_interval(secs => (n + random()) * {DAYS * 86400 / (each // 100 + 1)})
                      FROM customers, generate_series(0, {each // 100}) AS n) AS x (customer_id, n, t);
            INSERT INTO kafka_offsets (cluster_id, topic, partition, first_offset, next_offset, readings, anomalies)
            VALUES ('c', 'heartbeat', 0, 0, {readings}, {readings}, {readings // 100});
            INSERT INTO pipeline_log (logged_at, messages_read, messages_valid, messages_anomaly, consumer)
            SELECT date_trunc('minute', now()) - make_interval(mins => m), 60000, 59400, 600, 'c' || c
              FROM generate_series(0, {DAYS * 1440}) AS m, generate_series(1, 2) AS c""")
        connection.execute("VACUUM ANALYZE")


class Writer(threading.Thread):
    """Stores LIVE readings a second, as a consumer would: each customer in turn, and some each second."""

    def __init__(self, lab, customers):
        super().__init__(daemon=True)
        self.lab, self.customers, self.ended = lab, customers, threading.Event()

    def run(self):
        with psycopg.connect(self.lab.dsn("postgres"), autocommit=True) as connection:
            turn = 0
            while not self.ended.wait(max(0.05, 1 - time.time() % 1)):
                turn += 1
                connection.execute(f"""
                    WITH chosen AS (
                        SELECT 'cust_' || lpad(n::text, 5, '0') AS id, 50 + (random() * 135)::int AS bpm FROM (
                            SELECT generate_series(1, 10) AS n UNION
                            SELECT ({turn} * {LIVE} + i) % {self.customers} + 1 FROM generate_series(1, {LIVE}) AS i
                        ) AS x
                    ), stored AS (
                        INSERT INTO heart_rate_readings
                               (customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason)
                        SELECT id, now(), bpm, bpm > 180, CASE WHEN bpm > 180 THEN 'tachycardia' END FROM chosen
                    ), counted AS (
                        UPDATE kafka_offsets SET updated_at = now(),
                               readings = readings + (SELECT count(*) FROM chosen),
                               anomalies = anomalies + (SELECT count(*) FROM chosen WHERE bpm > 180)
                    )
                    UPDATE customer_state SET recorded_at = now(), heart_rate = bpm, is_anomaly = bpm > 180,
                           anomaly_reason = CASE WHEN bpm > 180 THEN 'tachycardia' END, readings = readings + 1,
                           anomalies = anomalies + (bpm > 180)::int
                      FROM chosen WHERE customer_id = id""")


class Dashboard:
    def __init__(self, lab):
        log = open(os.path.join(lab.folder, "dashboard.log"), "w+")
        self.process = subprocess.Popen(
            [HEARTBEAT, "dashboard", "--config", "/dev/null"], stderr=log,
            env=lab.environment({"POSTGRES_USER": "heartbeat-dashboard", "DASHBOARD_PORT": "0",
                                 "METRICS_DIRECTORY": lab.folder}))
        while True:
            log.seek(0)
            found = re.search(r"serving on http://\S+:(\d+)", log.read())
            if found:
                break
            time.sleep(0.05)
        self.port = int(found.group(1))

    def memory(self, name="VmRSS"):
        with open(f"/proc/{self.process.pid}/status") as status:
            return next(int(line.split()[1]) / 1024 for line in status if line.startswith(name))

    def cpu(self):
        with open(f"/proc/{self.process.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def time_requests(port, customers, count):
    """Tells how long each kind of request takes."""
    random.seed(1)

    def customer():
        return f"cust_{random.randint(1, customers):05d}"

    def ago(**unit):
        seconds = unit.get("hours", 0) * 3600 + unit.get("days", 0) * 86400
        return urllib.parse.quote(time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() - seconds)))

    kinds = {
        "state": lambda: "/api/v1/state",
        "throughput, 1 h": lambda: "/api/v1/throughput?minutes=60",
        "throughput, 24 h": lambda: "/api/v1/throughput?minutes=1440",
        "anomalies": lambda: "/api/v1/anomalies?limit=50",
        "anomalies, 200 of 3 days ago": lambda: f"/api/v1/anomalies?limit=200&until={ago(days=2)}",
        "anomalies of a customer, 3 days": lambda: f"/api/v1/anomalies?customer_id={customer()}&from={ago(days=3)}",
        "episodes": lambda: "/api/v1/episodes?limit=50",
        "closed episodes": lambda: "/api/v1/episodes?state=closed&limit=50",
        "episodes of an hour of 2 days ago": lambda: f"/api/v1/episodes?from={ago(hours=49)}&until={ago(days=2)}",
        "episodes of a customer, 3 days": lambda: f"/api/v1/episodes?customer_id={customer()}&from={ago(days=3)}",
        "customers": lambda: f"/api/v1/customers?offset={random.randint(0, customers - 25)}",
        "customers by rate": lambda: "/api/v1/customers?sort=heart_rate&order=desc&limit=50",
        "customers by status": lambda: "/api/v1/customers?sort=status&limit=50",
        "customers, search": lambda: f"/api/v1/customers?search={random.randint(0, 99):02d}",
        "customer": lambda: f"/api/v1/customer?customer_id={customer()}",
        "readings, 1 h": lambda: f"/api/v1/readings?customer_id={customer()}",
        "readings, 3 days": lambda: f"/api/v1/readings?customer_id={customer()}&from={ago(days=3)}",
        "readings as CSV, 1 h": lambda: f"/api/v1/readings.csv?customer_id={customer()}",
        "metrics": lambda: "/metrics",
    }
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)

    def take(path):
        began = time.perf_counter()
        connection.request("GET", path, headers={"Accept-Encoding": "gzip"})
        answer = connection.getresponse()
        body = answer.read()
        elapsed = (time.perf_counter() - began) * 1000
        if answer.status != 200:
            raise SystemExit(f"{path}: {answer.status} {body[:200]}")
        return elapsed, len(body)

    def report(name, answers):
        times, sizes = zip(*answers)
        print(f"  {name:34} p50 {percentile(times, 50):6.1f} ms  p95 {percentile(times, 95):6.1f} ms  "
              f"max {max(times):6.1f} ms  {sum(sizes) / len(sizes) / 1000:6.1f} kB", flush=True)

    for name, target in kinds.items():
        report(name, [take(target()) for _ in range(count)])
    # Charts are kept for two seconds, and every one is to be asked for.
    charts = {minutes: [] for minutes in (1, 5, 15, 60)}
    for _ in range(count // 4):
        time.sleep(2.05)
        for minutes, answers in charts.items():
            answers.append(take(f"/api/v1/chart?minutes={minutes}"))
    for minutes, answers in charts.items():
        report(f"chart, {minutes} min", answers)


async def view(port, seconds, received):
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n")
    events = 0
    try:
        async with asyncio.timeout(seconds):
            while True:
                data = await reader.read(65536)
                if not data:
                    break
                events += data.count(b"event: state")
    except TimeoutError:
        pass
    received.append(events)
    writer.close()


def statements(connection):
    return connection.execute("""
        SELECT coalesce(sum(calls), 0)::float, coalesce(sum(total_exec_time), 0)::float FROM pg_stat_statements s
          JOIN pg_roles r ON r.oid = s.userid WHERE rolname = 'heartbeat-dashboard'""").fetchone()


def watch(lab, dashboard, viewers, seconds):
    """Keeps viewers connected and counts what the database does meanwhile."""
    async def all_of_them():
        received = []
        await asyncio.gather(*(view(dashboard.port, seconds, received) for _ in range(viewers)))
        return received

    with psycopg.connect(lab.dsn("postgres"), autocommit=True) as connection:
        calls, milliseconds = statements(connection)
        cpu, before = dashboard.cpu(), dashboard.memory()
        began = time.monotonic()
        received = asyncio.run(all_of_them())
        elapsed = time.monotonic() - began
        calls_after, milliseconds_after = statements(connection)
    print(
        f"  {viewers:3} viewers for {elapsed:.0f} s: {(calls_after - calls) / elapsed:.1f} statements/s, "
        f"{(milliseconds_after - milliseconds) / elapsed:.1f} ms/s of the database, "
        f"{(dashboard.cpu() - cpu) / elapsed * 100:.1f} % of a core, "
        f"memory {before:.0f} to {dashboard.memory():.0f} MB, "
        f"at most {dashboard.memory('VmHWM'):.0f} MB; each got {min(received)} to {max(received)} events",
        flush=True,
    )


def main():
    options = arguments()
    with Lab(1) as lab:
        with psycopg.connect(f"host={lab.socket} dbname=postgres user=postgres", autocommit=True) as connection:
            for setting in (
                "shared_preload_libraries = 'pg_stat_statements'",
                "fsync = off",
                "max_wal_size = '4GB'",
                "shared_buffers = '512MB'",
                "max_connections = 40",
            ):
                connection.execute(f"ALTER SYSTEM SET {setting}")
        lab.postgres("restart")
        for readings in options.readings:
            lab.reset()
            with psycopg.connect(lab.dsn("postgres"), autocommit=True) as connection:
                connection.execute("CREATE EXTENSION pg_stat_statements")
            began = time.monotonic()
            fill(lab, readings, options.customers)
            with psycopg.connect(lab.dsn("postgres")) as connection:
                size = connection.execute("SELECT pg_database_size('heartbeat_db') / 1e9").fetchone()[0]
            print(f"{readings} readings of {options.customers} customers, {size:.1f} GB, filled in "
                  f"{time.monotonic() - began:.0f} s", flush=True)
            writer = Writer(lab, options.customers)
            writer.start()
            dashboard = Dashboard(lab)
            try:
                time.sleep(5)
                time_requests(dashboard.port, options.customers, options.requests)
                watch(lab, dashboard, 1, options.seconds // 5)
                watch(lab, dashboard, options.viewers, options.seconds)
            finally:
                writer.ended.set()
                writer.join()
                dashboard.process.terminate()
                print(f"  ended with status {dashboard.process.wait(10)}", flush=True)


if __name__ == "__main__":
    main()
