"""The machine's own life: stop under load, reboot, more consumers."""

import time

from machine import eventually, measured
from pipeline import DAEMONS, LOAD, PARTITIONS, PipelineTest, unit


class StopAndReboot(PipelineTest):
    load = LOAD

    def test_stop_under_load(self):
        machine = self.machine
        eventually("much is stored", lambda: machine.stored() > 50_000)
        start = time.monotonic()
        machine.run("systemctl", "stop", "heartbeat.target")
        for name in DAEMONS:
            eventually(f"{name} is stopped", lambda: machine.state(unit(name)) == "inactive")
        measured("stop of heartbeat.target at 20,000 messages/s, until all are inactive", start)
        for name in DAEMONS:
            # Not killed after a timeout, and no error.
            self.assertEqual(machine.show(unit(name), "Result"), "success", name)
        count = machine.verified()
        machine.run("systemctl", "start", "heartbeat.target")
        eventually("it resumes where it was", lambda: machine.stored() > count)
        machine.verified()

    def test_restart_propagates(self):
        machine = self.machine
        pids = {name: machine.pid(unit(name)) for name in DAEMONS}
        machine.run("systemctl", "restart", "heartbeat.target")
        for name in DAEMONS:
            machine.is_restarted(name, pids[name])
        machine.goes_on()

    def test_reboot(self):
        machine = self.machine
        machine.run("systemctl", "enable", "kafka", "heartbeat.target")
        before = machine.stored()
        machine.power_off()
        start = time.monotonic()
        machine.boot()
        for name in DAEMONS:
            eventually(f"{name} is back", lambda: machine.state(unit(name)) == "active")
        measured("reboot until all are active", start)
        self.assertGreaterEqual(machine.stored(), before)
        machine.goes_on()
        machine.verified()


class Group(PipelineTest):
    starts = False
    names = ["consumer@1", "consumer@2", "consumer@3"]

    def assigned(self, name):
        return self.machine.metric(name.replace("@", "-"), "heartbeat_consumer_assigned_partitions") or 0

    def share(self, names):
        """Waits until these consumers have all partitions among them, and each has some."""
        eventually(
            f"{' '.join(names)} share {PARTITIONS} partitions",
            lambda: sum(map(self.assigned, names)) == PARTITIONS and all(self.assigned(name) > 0 for name in names),
            within=120)

    def test_three_share_the_work(self):
        machine = self.machine
        machine.run("systemctl", "disable", unit("consumer"))
        machine.run("systemctl", "enable", *map(unit, self.names))
        machine.set_unit("consumer@2", "Restart=no")
        machine.start(*self.load)
        self.assertEqual(machine.state(unit("consumer")), "inactive")
        self.share(self.names)
        machine.goes_on()

        start = time.monotonic()
        machine.kill("KILL", unit("consumer@2"))
        eventually("it is dead", lambda: machine.state(unit("consumer@2")) == "failed")
        self.share(["consumer@1", "consumer@3"])
        measured("from SIGKILL of one of three consumers until the others have its partitions", start)
        # Each partition moves on.
        before = machine.sql("SELECT partition, next_offset FROM kafka_offsets ORDER BY partition").splitlines()
        eventually("every partition moves on", lambda: not set(before) & set(
            machine.sql("SELECT partition, next_offset FROM kafka_offsets ORDER BY partition").splitlines()))

        machine.run("systemctl", "start", unit("consumer@2"))
        self.share(self.names)
        machine.goes_on()
        machine.verified()
        names = machine.sql("SELECT DISTINCT consumer FROM pipeline_log").splitlines()
        self.assertEqual(len(names), 3, names)
        machine.run("systemctl", "stop", "heartbeat.target")
        for name in self.names:
            eventually(f"{name} stops with the target", lambda: machine.state(unit(name)) == "inactive")
