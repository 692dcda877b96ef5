#!/usr/bin/env python3
"""How fast the consumer takes waiting messages, as a ratio to what one client can COPY of the same rows.

usage: ingest.py [--messages N] [--runs R] [--batch-rows B] [--partitions P] [--customers C] [--flags] [--peer CMD]

In each run, on one embedded broker and one private PostgreSQL cluster:
  bare  binary COPY of the same rows into the same tables: one connection, rows encoded beforehand, the same batch
        size, one transaction a batch, nothing else running
  ours  `heartbeat consumer` with N waiting messages; rows/s from the first commit to the last
  flags with --flags: the same without episodes, for what their detection costs
  peer  with --peer: another consumer's command line, measured the same way ({bootstrap} {topic} {group} {dsn})
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
ap.add_argument("--messages", type=int, default=1_000_000)
ap.add_argument("--runs", type=int, default=3)
ap.add_argument("--batch-rows", type=int, default=20_000)
ap.add_argument("--partitions", type=int, default=48)
ap.add_argument("--customers", type=int, default=1000)
ap.add_argument("--flags", action="store_true", help="also measure the consumer without episodes")
ap.add_argument("--peer", help="another consumer's command line")
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


def drained(lab, command, environment, count):
    """Runs a consumer until the table has all rows; steady rows/s, CPU seconds, peak memory."""
    lab.reset()
    with psycopg.connect(lab.dsn("postgres"), autocommit=True) as observer:
        process = subprocess.Popen(command, env={**os.environ, **environment}, stdout=subprocess.DEVNULL,
                                   stderr=open(os.path.join(lab.folder, "consumer.log"), "ab"))
        first = 0
        while first == 0:
            first, began = stored(observer), time.monotonic()
            check_alive(lab, process)
        while stored(observer) < count:
            check_alive(lab, process)
            time.sleep(0.01)
        last = time.monotonic()
        rows, batches = observer.execute(
            "SELECT count(*), count(DISTINCT inserted_at) FROM heart_rate_readings").fetchone()
        if rows != count:
            raise SystemExit(f"{rows} rows instead of {count}")
        peak = bench.peak_rss_mb(process.pid)
        os.kill(process.pid, signal.SIGTERM)  # not send_signal, which would swallow the exit status
        _, _, usage = os.wait4(process.pid, 0)
        return {
            "rows_per_s": (count - first) / (last - began),
            "cpu_s_per_100k": (usage.ru_utime + usage.ru_stime) / count * 1e5,
            "rss_mb": peak,
            "batches": batches,
        }


def stored(observer):
    """How many rows are committed: from the offsets, which is cheap, or by counting for a peer that has none."""
    moved = observer.execute("SELECT sum(next_offset - first_offset)::bigint FROM kafka_offsets").fetchone()[0]
    return moved or observer.execute("SELECT count(*) FROM heart_rate_readings").fetchone()[0]


def check_alive(lab, process):
    """Ends the benchmark when the consumer has failed; leaves its exit status for wait4."""
    ended = os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
    if ended and ended.si_status != 0:
        raise SystemExit(f"the consumer ended with {ended.si_status}: see {lab.folder}/consumer.log")


def main():
    with bench.Lab(a.partitions) as lab:
        bench.produce(lab.bootstrap, lab.topic, bench.synthetic(a.messages, a.customers))
        ours, bares, flags, peers = [], [], [], []
        chunks = None
        for run in range(a.runs):
            ours.append(drained(lab, [bench.HEARTBEAT, "consumer"],
                                lab.environment({"BATCH_ROWS": str(a.batch_rows), "KAFKA_GROUP_ID": f"ours{run}"}),
                                a.messages))
            verify = subprocess.run(
                [bench.HEARTBEAT, "verify"], env=lab.environment({}), capture_output=True, text=True
            )
            print(verify.stdout.strip().splitlines()[-1], flush=True)
            if verify.returncode != 0:
                raise SystemExit("verify failed")
            chunks = chunks or chunks_of(lab, a.batch_rows)
            bares.append(bare(lab, chunks))
            line = {"run": run, **ours[-1], "bare_rows_per_s": bares[-1], "ratio": ours[-1]["rows_per_s"] / bares[-1]}
            if a.flags:
                flags.append(drained(lab, [bench.HEARTBEAT, "consumer"],
                                     lab.environment({"BATCH_ROWS": str(a.batch_rows), "KAFKA_GROUP_ID": f"flags{run}",
                                                      "EPISODES": "false"}), a.messages))
                line.update({"flags_rows_per_s": flags[-1]["rows_per_s"],
                             "to_flags": ours[-1]["rows_per_s"] / flags[-1]["rows_per_s"],
                             "flags_cpu_s_per_100k": flags[-1]["cpu_s_per_100k"], "flags_rss_mb": flags[-1]["rss_mb"]})
            if a.peer:
                peer = lab.fill(a.peer, group=f"peer{run}")
                peers.append(drained(lab, shlex.split(peer), {}, a.messages))
                line.update({"peer_rows_per_s": peers[-1]["rows_per_s"],
                             "to_peer": ours[-1]["rows_per_s"] / peers[-1]["rows_per_s"]})
            print(json.dumps({k: round(v, 3) if isinstance(v, float) else v for k, v in line.items()}), flush=True)
        result = {k: statistics.median(o[k] for o in ours) for k in ours[0]}
        result["ratio_to_bare_copy"] = statistics.median(o["rows_per_s"] / b for o, b in zip(ours, bares))
        if flags:
            result["ratio_to_flags"] = statistics.median(
                o["rows_per_s"] / f["rows_per_s"] for o, f in zip(ours, flags))
        if peers:
            result["ratio_to_peer"] = statistics.median(o["rows_per_s"] / p["rows_per_s"] for o, p in zip(ours, peers))
        print("MEDIANS " + json.dumps({k: round(v, 3) for k, v in result.items()}))


main()
