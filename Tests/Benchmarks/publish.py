#!/usr/bin/env python3
"""How fast the producer publishes, as a ratio to a Python producer of the same messages in the same run.

usage: publish.py [--messages N] [--runs R] [--partitions P]

Both publish the same rows flat out to the same embedded broker: `heartbeat producer --replay FILE --flat-out`, and
confluent-kafka with json.dumps, each as a process of its own. Messages/s of heartbeat count from its start to its end,
those of Python without its start. Needs the Python package confluent-kafka and a release build of heartbeat.
"""
import argparse
import csv
import json
import os
import statistics
import subprocess
import time

import bench

ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
ap.add_argument("--messages", type=int, default=1_000_000)
ap.add_argument("--runs", type=int, default=3)
ap.add_argument("--partitions", type=int, default=8)
a = ap.parse_args()


def main():
    with bench.Lab(a.partitions) as lab:
        path = os.path.join(lab.folder, "readings.csv")
        with open(path, "w", newline="") as file:
            writer = csv.writer(file, lineterminator="\n")
            writer.writerow(["customer_id", "recorded_at", "heart_rate"])
            writer.writerows(bench.synthetic(a.messages, 1000))
        ratios = []
        for run in range(a.runs):
            with open(path, newline="") as file:
                rows = ((r["customer_id"], r["recorded_at"], int(r["heart_rate"])) for r in csv.DictReader(file))
                python = bench.produce(lab.bootstrap, lab.topic, rows)
            began = time.monotonic()
            done = subprocess.run([bench.HEARTBEAT, "producer", "--replay", path, "--flat-out"],
                                  env=lab.environment({}), capture_output=True, text=True)
            ours = a.messages / (time.monotonic() - began)
            if done.returncode != 0 or f"{a.messages} delivered" not in done.stderr:
                raise SystemExit(done.stderr)
            ratios.append(ours / python)
            print(json.dumps({"run": run, "python_per_s": round(python), "ours_per_s": round(ours),
                              "ratio": round(ratios[-1], 2)}), flush=True)
        print("MEDIANS " + json.dumps({"ratio_to_python": round(statistics.median(ratios), 2)}))


main()
