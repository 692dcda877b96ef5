#!/usr/bin/env python3
"""How well episodes are found, against what the simulator knows: recall, false episodes and delay of each kind.

usage: episodes.py [--customers N] [--hours H] [--interval S] [--seed S] [--partitions P]

Simulates N customers for H hours, flat out, with the truth in a file; drains the topic; and compares.
  recall  of the true episodes of 20 s and longer, those that an episode of the same kind overlaps, of high severity at
          some time if it is of the heart rate. A true signal loss has to be longer than the limit of detection, too
  unseen  how many of the missed could not be found, since the sensor was silent for most of the time
  false   episodes that overlap nothing true of the same kind, for 100 customer-hours. For a tachycardia that never was
          of high severity effort is true, too. A deviation is true when anything is: it has no truth of its own
  known   how many had been raised before, for less: a tachycardia that begins in effort
  delay   from the true beginning to raised_at of the others, in seconds
Needs Python packages confluent-kafka and psycopg[binary], and a release build of heartbeat.
"""
import argparse
import csv
import datetime as dt
import json
import os
import subprocess
import sys

import psycopg

import bench

KINDS = ("bradycardia", "tachycardia", "signal loss", "deviation")
TARGET_RECALL, TARGET_FALSE = 0.99, 1.0

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--customers", type=int, default=200)
ap.add_argument("--hours", type=float, default=6)
ap.add_argument("--interval", type=float, default=1)
ap.add_argument("--seed", type=int, default=1)
# The embedded broker keeps 5 MiB of each: some five customers' for six hours.
ap.add_argument("--partitions", type=int, default=400)
a = ap.parse_args()


def simulate(lab, truth):
    """Publishes the run; returns when it began."""
    began = dt.datetime.now(bench.UTC).replace(microsecond=0) - dt.timedelta(hours=a.hours * 1.05 + 1)
    # A sensor's silences come as often whatever the interval is.
    environment = lab.environment({
        "NUM_CUSTOMERS": str(a.customers), "INTERVAL_SECONDS": str(a.interval), "SEED": str(a.seed),
        "SEND_ACTIVITY": "true", "DROPOUT_RATE": str(0.0002 * a.interval), "RDKAFKA_LINGER_MS": "500"})
    subprocess.run([bench.HEARTBEAT, "producer", "--flat-out", "--begin", began.isoformat(), "--truth", truth,
                    "--count", str(int(a.customers * a.hours * 3600 / a.interval))],
                   check=True, env=environment, stderr=open(os.path.join(lab.folder, "producer.log"), "wb"))
    return began


def drain(lab):
    """Stores and judges everything."""
    subprocess.run([bench.HEARTBEAT, "consumer", "--drain"], check=True, env=lab.environment({}),
                   stderr=open(os.path.join(lab.folder, "consumer.log"), "wb"))
    verify = subprocess.run([bench.HEARTBEAT, "verify"], env=lab.environment({}), capture_output=True, text=True)
    print(verify.stdout.strip().splitlines()[-1], flush=True)
    if verify.returncode != 0:
        raise SystemExit("verify failed")


def true_episodes(path):
    """By customer and kind: (began, ended)."""
    found = {}
    with open(path, newline="") as file:
        for row in csv.DictReader(file):
            found.setdefault((row["customer_id"], row["kind"]), []).append(
                (dt.datetime.fromisoformat(row["began_at"]), dt.datetime.fromisoformat(row["ended_at"])))
    return found


def raised_episodes(lab):
    """By customer and kind: (opened, closed, raised, worst severity). What is open lasts until the last reading."""
    found = {}
    with psycopg.connect(lab.dsn("postgres")) as connection:
        for customer, kind, *episode in connection.execute(
                """SELECT e.customer_id, kind::text, opened_at, coalesce(closed_at, greatest(s.recorded_at, raised_at)),
                          raised_at, worst_severity::text
                     FROM episodes e JOIN customer_state s USING (customer_id)
                    WHERE NOT (kind = 'signal loss' AND closed_at IS NULL)
                    ORDER BY opened_at"""):
            found.setdefault((customer, kind), []).append(episode)
        hours = connection.execute("SELECT extract(epoch FROM sum(latest - first))::float8 / 3600 FROM (SELECT "
                                   "max(recorded_at) latest, min(recorded_at) first FROM heart_rate_readings "
                                   "GROUP BY customer_id) c").fetchone()[0]
    return found, hours


def overlap(one, other):
    """Whether two times have a moment in common."""
    return one[0] <= other[1] and other[0] <= one[1]


def score(kind, truth, raised, hours):
    """The figures of one kind."""
    # A signal is lost after five periods; a sixth, since a silence is counted in whole ones.
    shortest = max(20, 6 * a.interval) if kind == "signal loss" else 20
    due = [(customer, span) for (customer, true_kind), spans in truth.items() if true_kind == kind
           for span in spans if (span[1] - span[0]).total_seconds() >= shortest]
    delays, missed, unseen = [], [], 0
    for customer, span in due:
        # Beyond 40 or 180 bpm is urgent, nothing less.
        hits = [e for e in raised.get((customer, kind), [])
                if overlap(span, e) and (kind == "signal loss" or e[3] == "high")]
        if hits:
            delays.append((hits[0][2] - span[0]).total_seconds())
            continue
        missed.append((customer, span))
        silent = sum((max(dt.timedelta(0), min(span[1], s[1]) - max(span[0], s[0]))
                      for s in truth.get((customer, "signal loss"), [])), dt.timedelta(0))
        unseen += kind != "signal loss" and silent > (span[1] - span[0]) / 2
    found = [(customer, e) for (customer, raised_kind), es in raised.items() if raised_kind == kind for e in es]
    false = [(customer, e) for customer, e in found if not any(
        overlap(e, span) for true_kind in accepted(kind, e[3]) for span in truth.get((customer, true_kind), []))]
    for what, customer, span in [("missed", *m) for m in missed[:5]] + [("false", *f) for f in false[:5]]:
        print(f"  {what} {kind}: {customer} {span[0].isoformat()} to {span[1].isoformat()}", file=sys.stderr)
    late = [delay for delay in delays if delay >= 0]
    known = len(delays) - len(late)
    late = late or [None]
    return {"true": len(due), "raised": len(found), "missed": len(missed), "unseen": unseen,
            "recall": 1 - len(missed) / len(due) if due else None, "false": len(false),
            "false_per_100h": len(false) / hours * 100, "known": known,
            "delay_p50": bench.percentile(late, 50), "delay_p95": bench.percentile(late, 95), "delay_max": max(late)}


def accepted(kind, worst):
    """The kinds of truth that make an episode a true one."""
    if kind == "deviation":
        return ("bradycardia", "tachycardia", "elevated")
    return (kind, "elevated") if kind == "tachycardia" and worst != "high" else (kind,)


def shown(figure):
    if figure is None:
        return "-"
    return round(figure, 4) if isinstance(figure, float) else figure


def main():
    with bench.Lab(a.partitions) as lab:
        path = os.path.join(lab.folder, "truth.csv")
        simulate(lab, path)
        drain(lab)
        truth = true_episodes(path)
        raised, hours = raised_episodes(lab)
    print(f"{a.customers} customers, {hours:.0f} customer-hours, a reading each {a.interval:g} s, seed {a.seed}")
    columns = ("true", "raised", "missed", "unseen", "recall", "false", "false_per_100h", "known", "delay_p50",
               "delay_p95", "delay_max")
    print(f"{'kind':12}" + "".join(f"{c:>15}" for c in columns))
    result = {}
    for kind in KINDS:
        figures = result[kind] = score(kind, truth, raised, hours)
        print(f"{kind:12}" + "".join(f"{shown(figures[c]):>15}" for c in columns))
    reached = all((result[k]["recall"] is None or result[k]["recall"] >= TARGET_RECALL)
                  and result[k]["false_per_100h"] <= TARGET_FALSE for k in KINDS)
    print(json.dumps({"customer_hours": round(hours, 1), "reached": reached, **{
        k: {c: round(v, 4) if isinstance(v, float) else v for c, v in f.items()} for k, f in result.items()}}))
    if not reached:
        raise SystemExit(1)


main()
