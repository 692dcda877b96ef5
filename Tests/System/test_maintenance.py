"""Partitions are made and dropped while 20,000 messages a second come in."""

import re
import threading
import time

from machine import eventually, measured
from pipeline import LOAD, PipelineTest, unit


class Maintenance(PipelineTest):
    starts = False
    load = LOAD

    def partitions(self):
        return set(self.machine.sql(
            "SELECT inhrelid::regclass FROM pg_inherits WHERE inhparent = 'heart_rate_readings'::regclass").splitlines())

    def old_partition(self, days):
        """A day's partition with readings of a customer of old."""
        day = f"((now() AT TIME ZONE 'UTC')::date - {days})"
        self.machine.sql(f"SELECT create_readings_partition({day})")
        self.machine.sql(
            "INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly) "
            f"SELECT 'old', {day}::timestamp AT TIME ZONE 'UTC' + n * interval '1 second', 70, false "
            "FROM generate_series(1, 50000) AS n")
        return self.machine.sql(f"SELECT 'heart_rate_readings_' || to_char({day}, 'YYYYMMDD')")

    def commits(self):
        """How many commits took at most so many seconds, by this bound."""
        text = self.machine.run("cat", "/run/heartbeat/consumer.prom")
        found = re.findall(r'heartbeat_consumer_commit_duration_seconds_bucket{.*le="(.+?)".*} (\d+)', text)
        return {bound: int(count) for bound, count in found}

    def test_under_load(self):
        machine = self.machine
        # The server says by itself when somebody has waited for a lock for 100 ms.
        for setting in ["log_lock_waits = on", "deadlock_timeout = '100ms'"]:
            machine.sql(f"ALTER SYSTEM SET {setting}", database="postgres")
        machine.run("systemctl", "reload", "postgresql")
        machine.start(*self.load)
        old, kept = self.old_partition(100), self.old_partition(80)
        # Yesterday's run has not made tomorrow's.
        tomorrow = machine.sql("SELECT 'heart_rate_readings_' || to_char((now() AT TIME ZONE 'UTC')::date + 1, 'YYYYMMDD')")
        machine.sql(f"ALTER TABLE heart_rate_readings DETACH PARTITION {tomorrow}; DROP TABLE {tomorrow}")
        eventually("much is stored", lambda: machine.stored() > 100_000)

        commits = {"before": self.commits()}
        figures = []
        done = threading.Event()

        def watch():
            while not done.is_set():
                figures.append((time.monotonic(), machine.stored()))
                time.sleep(0.2)

        watcher = threading.Thread(target=watch)
        watcher.start()
        try:
            start = time.monotonic()
            for _ in range(3):
                machine.run("systemctl", "start", unit("maintenance"))
            measured("three runs of the maintenance at 20,000 messages/s", start)
            time.sleep(2)
        finally:
            done.set()
            watcher.join()
        rate = (figures[-1][1] - figures[0][1]) / (figures[-1][0] - figures[0][0])
        print(f"    measured: {rate:.0f} messages/s were stored meanwhile")
        commits["meanwhile"] = {bound: count - commits["before"][bound] for bound, count in self.commits().items()}
        for when, counts in commits.items():
            slow = counts["+Inf"] - counts["0.1"]
            print(f"    measured: {when} {slow} of {counts['+Inf']} commits took longer than 0.1 s")

        now = self.partitions()
        self.assertIn(tomorrow, now)
        self.assertIn(kept, now)
        self.assertNotIn(old, now)
        self.assertEqual(machine.sql(f"SELECT to_regclass('{old}')"), "")
        self.assertEqual(machine.show(unit("maintenance"), "Result"), "success")
        # What was dropped is still counted by the minute.
        self.assertEqual(machine.sql(
            "SELECT sum(readings) FROM readings_per_minute WHERE minute < now() - interval '95 days'"), "50000")
        waits = machine.shell("grep 'still waiting for' /var/log/postgresql/*.log | grep heartbeat-consumer || true")
        self.assertEqual(waits, "", "the consumer has waited for a lock for more than 100 ms")
        self.assertEqual(machine.restarts("consumer"), 0)
        self.assertIn("partition", machine.run(*machine.as_user("heartbeat-maintenance"), "heartbeat", "database", "status"))
        machine.verified()

    def test_ingestion_does_without_it(self):
        machine = self.machine
        machine.run("systemctl", "mask", unit("maintenance"), "heartbeat-maintenance.timer")
        machine.start()
        machine.verified()
