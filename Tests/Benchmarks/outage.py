#!/usr/bin/env python3
"""PostgreSQL unreachable under load: the consumer's memory meanwhile, and how soon it writes again.

usage: outage.py [--seconds S] [--customers N] [--partitions P]

`heartbeat producer` sends N readings a second all the time. PostgreSQL is stopped for S seconds and started again.
Prints the consumer's memory before, during and after, the time from the server's first answer to the first new commit,
how many messages were rejected, and what `heartbeat verify` says at the end.
Needs the Python packages confluent-kafka and psycopg[binary], and a release build of heartbeat.
"""
import argparse
import json
import os
import signal
import subprocess
import time

import psycopg

import bench

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--seconds", type=float, default=120)
ap.add_argument("--customers", type=int, default=2000)
ap.add_argument("--partitions", type=int, default=12)
a = ap.parse_args()


def rss_mb(process):
    """Memory now."""
    with open(f"/proc/{process.pid}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith("VmRSS"))


def stored(lab):
    """How many messages are committed; None as long as the server does not answer."""
    try:
        with psycopg.connect(lab.dsn("postgres"), connect_timeout=1) as connection:
            return connection.execute("SELECT coalesce(sum(next_offset - first_offset), 0)::bigint "
                                      "FROM kafka_offsets").fetchone()[0]
    except psycopg.OperationalError:
        return None


def main():
    with bench.Lab(a.partitions) as lab:
        log = open(os.path.join(lab.folder, "consumer.log"), "w+")
        consumer = subprocess.Popen([bench.HEARTBEAT, "consumer"], env=lab.environment({}), stderr=log)
        producer = subprocess.Popen([bench.HEARTBEAT, "producer"], stderr=subprocess.DEVNULL,
                                    # The embedded broker hands out one record batch at a time: not too small ones.
                                    env=lab.environment({"NUM_CUSTOMERS": str(a.customers), "MALFORMED_RATE": "0",
                                                         "RDKAFKA_LINGER_MS": "100"}))
        while (stored(lab) or 0) < 10 * a.customers:
            time.sleep(0.2)
        before, during = rss_mb(consumer), []
        lab.postgres("stop", "-m", "immediate")
        end = time.monotonic() + a.seconds
        while time.monotonic() < end:
            time.sleep(1)
            during.append(rss_mb(consumer))
        lab.postgres("start")
        while (base := stored(lab)) is None:
            time.sleep(0.02)
        answered = time.monotonic()
        while stored(lab) == base:
            time.sleep(0.02)
        again = time.monotonic() - answered
        producer.send_signal(signal.SIGTERM)
        producer.wait()
        consumer.send_signal(signal.SIGTERM)
        consumer.wait()
        subprocess.run([bench.HEARTBEAT, "consumer", "--drain"], env=lab.environment({}), stderr=log, check=True)
        verify = subprocess.run([bench.HEARTBEAT, "verify"], env=lab.environment({}), capture_output=True, text=True)
        with psycopg.connect(lab.dsn("postgres")) as connection:
            rejected = connection.execute("SELECT count(*) FROM rejected_messages").fetchone()[0]
        print(json.dumps({"rss_mb_before": round(before, 1), "rss_mb_first_10_s": round(max(during[:10]), 1),
                          "rss_mb_last_10_s": round(max(during[-10:]), 1), "writing_again_after_s": round(again, 2),
                          "rejected": rejected}))
        print(verify.stdout.strip().splitlines()[-1])
        log.seek(0)
        print(log.read(), end="")


main()
