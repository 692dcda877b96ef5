#!/usr/bin/env python3
"""How fast the consumer takes waiting messages, as a ratio to what one client can COPY of the same rows.

usage: ingest.py [--messages N] [--runs R] [--batch-rows B] [--partitions P] [--customers C] [--kafka HOST:PORT]
                 [--settle SECONDS] [--flags] [--peer CMD [--peer-schema FILE]] [--other PROGRAM]

In each run, on one broker and one private PostgreSQL cluster, one after another:
  ours  `heartbeat consumer` with N waiting messages; rows/s from the first commit to the last, CPU until then, memory
        at its peak and --settle seconds after, and for which part of the time its session waited for rows
  bare  binary COPY of the same rows into the same tables: one connection, rows encoded beforehand, the same batch
        size, one transaction a batch, nothing else running
  flags with --flags: the same as ours without episodes, for what their detection costs
  other with --other: the same as ours by another build of heartbeat
  peer  with --peer: another consumer's command line, measured the same way ({bootstrap} {topic} {group} {dsn}); with
        --peer-schema into tables of its own that the file makes

The embedded broker keeps 5 MiB of each partition: 1.1 million messages fill 32. --kafka takes a real one, and makes a
topic there and deletes it; then --messages 2000000 --partitions 8 is a backlog as an outage leaves it.
Needs Python packages confluent-kafka and psycopg[binary], and a release build of heartbeat.
"""
import argparse
import json
import os
import shlex
import signal
import statistics
import subprocess
import time

import psycopg

import bench

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--messages", type=int, default=1_100_000)
ap.add_argument("--runs", type=int, default=3)
ap.add_argument("--batch-rows", type=int, default=20_000)
ap.add_argument("--partitions", type=int, default=32)
ap.add_argument("--customers", type=int, default=1000)
ap.add_argument("--kafka", metavar="HOST:PORT", help="a real Kafka instead of the embedded broker")
ap.add_argument("--settle", type=float, default=60, help="seconds until the memory is looked at again")
ap.add_argument("--flags", action="store_true", help="also measure the consumer without episodes")
ap.add_argument("--other", metavar="PROGRAM", help="another build of heartbeat to compare with")
ap.add_argument("--peer", metavar="CMD", help="another consumer's command line")
ap.add_argument("--peer-schema", metavar="FILE", help="SQL that makes the peer's tables")
a = ap.parse_args()

COLUMNS = "(customer_id, recorded_at, heart_rate, is_anomaly, anomaly_reason, source_id, kafka_offset)"


def bare(lab, chunks):
    """Rows/s of COPY alone."""
    lab.reset()
    with psycopg.connect(lab.dsn("heartbeat-consumer")) as connection:
        began = time.monotonic()
        for chunk in chunks:
            with connection.cursor() as cursor:
                with cursor.copy(f"COPY heart_rate_readings {COLUMNS} FROM STDIN (FORMAT binary)") as copy:
                    copy.write(chunk)
            connection.commit()
        return a.messages / (time.monotonic() - began)


def chunks_of(lab, rows):
    """The rows that are in the database, encoded for COPY in the order in which they were produced."""
    chunks = []
    with psycopg.connect(lab.dsn("postgres")) as connection:
        connection.execute("CREATE TEMP TABLE numbered AS SELECT *, row_number() OVER (ORDER BY recorded_at) n "
                           "FROM heart_rate_readings")
        connection.execute("CREATE INDEX ON numbered (n)")
        for start in range(0, a.messages, rows):
            with connection.cursor() as cursor:
                with cursor.copy(f"COPY (SELECT {COLUMNS.strip('()')} FROM numbered WHERE n > {start} "
                                 f"AND n <= {start + rows} ORDER BY n) TO STDOUT (FORMAT binary)") as copy:
                    chunks.append(b"".join(bytes(piece) for piece in copy))
    return chunks


def drained(lab, command, environment, schema=None, settle=0):
    """Runs a consumer until the table has all rows."""
    lab.reset()
    if schema:
        with psycopg.connect(lab.dsn("postgres"), autocommit=True) as connection:
            connection.execute(open(schema).read())
    with psycopg.connect(lab.dsn("postgres"), autocommit=True) as observer:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
                                   stderr=open(os.path.join(lab.folder, "consumer.log"), "ab"))
        first, looks, idle = 0, 0, 0
        while first == 0:
            first, _ = stored(observer)
            began = time.monotonic()
            check_alive(lab, process)
        rows = first
        while rows < a.messages:
            check_alive(lab, process)
            time.sleep(0.01)
            rows, is_idle = stored(observer)
            looks, idle = looks + 1, idle + is_idle
        last = time.monotonic()
        found = {
            "rows_per_s": (a.messages - first) / (last - began),
            "idle": idle / max(1, looks),
            "cpu_s_per_100k": bench.cpu_s(process.pid) / a.messages * 1e5,
            "peak_mb": bench.memory_mb(process.pid, "VmHWM"),
        }
        if settle:
            time.sleep(settle)
            found["settled_mb"] = bench.memory_mb(process.pid, "VmRSS")
        rows, batches = observer.execute(
            "SELECT count(*), count(DISTINCT inserted_at) FROM heart_rate_readings").fetchone()
        if rows != a.messages:
            raise SystemExit(f"{rows} rows instead of {a.messages}")
        found["batches"] = batches
        process.send_signal(signal.SIGTERM)
        process.wait()
        return found


def stored(observer):
    """How many rows are committed, and whether the consumer's session waits for its client.

    Rows by the offsets, which is cheap, or by counting for a peer that has none.
    """
    moved, is_idle = observer.execute("""
        SELECT (SELECT sum(next_offset - first_offset)::bigint FROM kafka_offsets),
               EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()
                       AND wait_event = 'ClientRead')""").fetchone()
    return moved or observer.execute("SELECT count(*) FROM heart_rate_readings").fetchone()[0], is_idle


def check_alive(lab, process):
    """Ends the benchmark when the consumer has failed."""
    if process.poll():
        raise SystemExit(f"the consumer ended with {process.returncode}: see {lab.folder}/consumer.log")


def verify(lab):
    """Has heartbeat itself look whether every message is there once."""
    found = subprocess.run([bench.HEARTBEAT, "verify"], env=lab.environment({}), capture_output=True, text=True)
    print(found.stdout.strip().splitlines()[-1], flush=True)
    if found.returncode != 0:
        raise SystemExit("verify failed")


def main():
    with bench.Lab(a.partitions, kafka=a.kafka) as lab:
        bench.produce(lab.bootstrap, lab.topic, bench.synthetic(a.messages, a.customers), a.partitions)

        def ours(program, group, more, settle=0):
            environment = lab.environment({"BATCH_ROWS": str(a.batch_rows), "KAFKA_GROUP_ID": group, **more})
            return drained(lab, [program, "consumer"], environment, settle=settle)

        runs, chunks = [], None
        for run in range(a.runs):
            line = ours(bench.HEARTBEAT, f"ours{run}", {}, settle=a.settle)
            verify(lab)
            chunks = chunks or chunks_of(lab, a.batch_rows)
            line["bare_rows_per_s"] = bare(lab, chunks)
            line["ratio_to_bare_copy"] = line["rows_per_s"] / line["bare_rows_per_s"]
            others = {}
            if a.flags:
                others["flags"] = ours(bench.HEARTBEAT, f"flags{run}", {"EPISODES": "false"})
            if a.other:
                others["other"] = ours(a.other, f"other{run}", {})
            if a.peer:
                peer = lab.fill(a.peer, group=f"peer{run}")
                others["peer"] = drained(lab, shlex.split(peer), {}, schema=a.peer_schema)
            for name, found in others.items():
                line.update({f"{name}_{k}": v for k, v in found.items()})
                line[f"ratio_to_{name}"] = line["rows_per_s"] / found["rows_per_s"]
            runs.append(line)
            print(json.dumps({k: round(v, 3) for k, v in {"run": run, **line}.items()}), flush=True)
        print("MEDIANS " + json.dumps({k: round(statistics.median(line[k] for line in runs), 3) for k in runs[0]}))


main()
