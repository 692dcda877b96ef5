"""Starts and boots while Kafka and PostgreSQL are not there, or are on other machines."""

import time

from machine import eventually, measured
from pipeline import DAEMONS, PipelineTest, unit

# Far more than a start takes, and far less than the time-outs of what it might wait for.
SOON = ["timeout", "60"]


class WithoutServers(PipelineTest):
    starts = False

    def waits(self):
        """Expects that all run, and say what they are waiting for."""
        machine = self.machine
        for name in [*DAEMONS, "database"]:
            self.assertEqual(machine.state(unit(name)), "active", name)
        for name, server in {"producer": "Kafka", "consumer": "Kafka", "dashboard": "PostgreSQL"}.items():
            eventually(f"{name} says so", lambda: machine.status(name).startswith(f"waiting for {server}"))
            eventually("the metrics have it", lambda: machine.metric(name, "heartbeat_ready") == 0)
        self.assertIn("waiting for PostgreSQL", machine.status("database"))
        ask = ["curl", "--silent", "--output", "/dev/null", "--write-out", "%{http_code}", "http://127.0.0.1:8501"]
        self.assertEqual(machine.run(*ask[:-1], ask[-1] + "/"), "200")
        self.assertEqual(machine.run(*ask[:-1], ask[-1] + "/readyz"), "503")

    def test_start_and_boot(self):
        machine = self.machine
        # Without a broker, and with a cluster that is there but does not start.
        machine.set("consumer", "KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:1")
        machine.run("systemctl", "disable", "--now", "postgresql")
        machine.run("systemctl", "mask", "postgresql@15-main", "postgresql@17-main")
        start = time.monotonic()
        machine.run(*SOON, "systemctl", "enable", "--now", "heartbeat.target")
        measured("enable --now heartbeat.target without Kafka and PostgreSQL", start)
        self.waits()

        machine.power_off()
        start = time.monotonic()
        machine.boot()
        measured("boot without Kafka and PostgreSQL", start)
        self.assertEqual(machine.run(*SOON, "systemctl", "is-system-running", "--wait"), "running")
        self.waits()

        # It works by itself as soon as they are there.
        machine.run("systemctl", "unmask", "postgresql@15-main", "postgresql@17-main")
        machine.run("systemctl", "start", "postgresql")
        eventually("the database is made", machine.has_database)
        machine.set("consumer", "KAFKA_BOOTSTRAP_SERVERS=127.0.0.1:1")
        machine.run("systemctl", "start", "kafka")
        machine.run("systemctl", "restart", unit("producer"), unit("gateway"), unit("consumer"))
        machine.goes_on()
        for name in DAEMONS:
            eventually(f"{name} is ready", lambda: machine.metric(name, "heartbeat_ready") == 1)
            self.assertEqual(machine.restarts(name), 0)
        eventually("the setup is done", lambda: machine.show(unit("database"), "SubState") == "exited")
        machine.verified()


class Elsewhere(PipelineTest):
    starts = False

    def test_setup_is_skipped(self):
        machine = self.machine
        for name in ["consumer", "dashboard", "database"]:
            machine.set(name, "POSTGRES_HOST=198.51.100.1")
        machine.run(*SOON, "systemctl", "start", "heartbeat.target")
        self.assertEqual(machine.state(unit("database")), "inactive")
        lines = [entry["MESSAGE"] for entry in machine.journal("-t", "heartbeat-database")]
        self.assertEqual(
            lines, ["nothing to do here: PostgreSQL is on 198.51.100.1, where its administrator runs the setup once"])
        self.assertEqual(machine.run("systemctl", "--failed", "--no-legend"), "")
        eventually("the dashboard waits", lambda: machine.status("dashboard").startswith("waiting for PostgreSQL"))
        # A mistake in the settings is no reason to skip it.
        machine.set("database", "POSTGRES_PORT=x")
        self.assertNotEqual(machine.attempt("systemctl", "start", unit("database")).returncode, 0)
        self.assertEqual(machine.show(unit("database"), "ExecMainStatus"), "78")
