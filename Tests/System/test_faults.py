"""What is killed, hangs or disappears comes back by itself, and nothing is lost or stored twice."""

import time

from machine import eventually, measured, stopped_thread
from pipeline import DAEMONS, PipelineTest, unit

# The unit's own is 90 s, for a disk that is slow for a minute. The tests have no such disk and no such time.
WATCHDOG = "WatchdogSec=10s"


class Killed(PipelineTest):
    def test_sigkill(self):
        for name in DAEMONS:
            pid = self.machine.pid(unit(name))
            start = time.monotonic()
            self.machine.kill("KILL", unit(name))
            self.machine.is_restarted(name, pid)
            measured(f"{name}: from SIGKILL to ready", start)
            self.assertEqual(self.machine.restarts(name), 1)
        self.machine.goes_on()
        self.machine.verified()


class Hanging(PipelineTest):
    starts = False

    def setUp(self):
        super().setUp()
        for name in DAEMONS:
            self.machine.set_unit(name, WATCHDOG)
        self.machine.start(*self.load)

    def is_ended_by_the_watchdog(self, name, start, pid):
        self.machine.is_restarted(name, pid)
        measured(f"{name}: from hanging to ready, watchdog of 10 s", start)
        self.assertGreaterEqual(self.machine.restarts(name), 1)
        entries = self.machine.journal("-u", unit(name), "_PID=1")
        self.assertTrue([entry for entry in entries if "Watchdog timeout" in entry["MESSAGE"]])

    def test_stopped_processes(self):
        for name in DAEMONS:
            pid = self.machine.pid(unit(name))
            start = time.monotonic()
            self.machine.kill("STOP", unit(name))
            self.is_ended_by_the_watchdog(name, start, pid)
        self.machine.goes_on()
        self.machine.verified()

    def test_one_thread_of_the_consumer_hangs(self):
        # The other one, librdkafka's threads and the one that answers the watchdog live on.
        for thread in ["writer", "main"]:
            pid = self.machine.pid(unit("consumer"))
            start = time.monotonic()
            with stopped_thread(self.machine.outside(pid), thread):
                self.is_ended_by_the_watchdog("consumer", start, pid)
            self.machine.goes_on()
        self.machine.verified()


class Outages(PipelineTest):
    def waits(self, names, server):
        """Each stays active, and says what it waits for."""
        for name in names:
            eventually(f"{name} says that it waits", lambda: server in self.machine.status(name))
            self.assertEqual(self.machine.state(unit(name)), "active")
            self.assertEqual(self.machine.restarts(name), 0)
            entries = self.machine.events("waiting")
            self.assertIn(server, [entry["HEARTBEAT_WAITS_FOR"] for entry in entries])

    def goes_on_by_itself(self, names, server):
        self.machine.goes_on()
        for name in names:
            eventually(f"{name} does not wait any more", lambda: server not in self.machine.status(name))
            self.assertEqual(self.machine.restarts(name), 0)
        eventually("it is in the journal", lambda: self.machine.events("recovered"))
        self.machine.verified()

    def test_postgresql(self):
        self.machine.run("systemctl", "stop", "postgresql")
        self.waits(["consumer", "dashboard"], "PostgreSQL")
        self.machine.run("systemctl", "start", "postgresql")
        self.goes_on_by_itself(["consumer", "dashboard"], "PostgreSQL")

    def test_kafka(self):
        self.machine.kafka("down")
        self.waits(["consumer", "producer"], "Kafka")
        self.machine.kafka("up")
        self.goes_on_by_itself(["consumer", "producer"], "Kafka")


class Absence(PipelineTest):
    """What the daemons need comes later than they do."""

    starts = False

    def test_at_the_start(self):
        machine = self.machine
        machine.run("systemctl", "start", "kafka")
        machine.run("systemctl", "stop", "postgresql")
        machine.run("systemctl", "start", "heartbeat.target")
        eventually("the consumer waits", lambda: "PostgreSQL" in machine.status("consumer"))
        self.assertEqual(machine.state(unit("consumer")), "active")
        machine.run("systemctl", "start", "postgresql")
        machine.goes_on()
        machine.verified()

    def test_too_long(self):
        machine = self.machine
        machine.run("systemctl", "start", "kafka")
        machine.run("systemctl", "stop", "postgresql")
        machine.set("consumer", "START_TIMEOUT_SECONDS=1")
        machine.run("systemctl", "start", unit("consumer"))
        eventually("it ends", lambda: machine.show(unit("consumer"), "ExecMainStatus") == "69")
        # It keeps trying, slowly.
        eventually("it is started again", lambda: machine.restarts("consumer") >= 1)
        machine.run("systemctl", "start", "postgresql")
        eventually("it works", lambda: machine.metric("consumer", "heartbeat_ready") == 1)
