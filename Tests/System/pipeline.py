"""heartbeat as an operator has it: the package in a machine, a broker and PostgreSQL beside it."""

import re
import time
import unittest
from datetime import timedelta

from base import base
from machine import Machine, eventually, measured

PARTITIONS = 16

# Kafka is a unit of its own, with one of the names that heartbeat orders itself after. It is the embedded broker: the
# real protocol, in memory, at a port that it chooses. "down" and "up" on its standard input stop and start it.
KAFKA_UNIT = f"""
[Unit]
Description=Kafka for the tests
[Service]
Type=exec
ExecStartPre=/bin/sh -c 'rm -f /run/kafka.*; mkfifo /run/kafka.commands'
ExecStart=/bin/sh -c 'exec /usr/local/lib/kafka broker --partitions {PARTITIONS} <>/run/kafka.commands \\
    >/run/kafka.address'
ExecStartPost=/usr/local/lib/kafka-started
[Install]
WantedBy=multi-user.target
"""

KAFKA_STARTED = """#!/bin/sh
# Tells heartbeat where the broker is.
until [ -s /run/kafka.address ]; do sleep 0.05; done
for file in producer gateway consumer database; do
    sed -i '/^KAFKA_BOOTSTRAP_SERVERS=/d' /etc/heartbeat/$file.conf
    echo "KAFKA_BOOTSTRAP_SERVERS=$(cat /run/kafka.address)" >>/etc/heartbeat/$file.conf
done
"""

# What the embedded broker needs: it sleeps through an empty fetch, and it waits nearly a session for each rebalance.
CONSUMER = ["RDKAFKA_FETCH_WAIT_MAX_MS=10", "RDKAFKA_SESSION_TIMEOUT_MS=6000"]

# 20,000 messages a second.
LOAD = ["NUM_CUSTOMERS=2000", "INTERVAL_SECONDS=0.1"]

DAEMONS = ["producer", "gateway", "consumer", "dashboard", "notifier"]


def unit(name):
    return f"heartbeat-{name}.service"


class Pipeline(Machine):
    """A machine in which the package can be installed."""

    def install(self, package):
        """What the README says; it finds all that the package depends on in the machine, which has no network."""
        self.copy_in(package, "/root/heartbeat.deb")
        return self.run(
            "apt-get", "install", "--yes", "--no-install-recommends", "--reinstall", "--allow-downgrades",
            "/root/heartbeat.deb")

    def add_kafka(self):
        """Puts the broker beside heartbeat; it survives what is done to the package."""
        self.run("install", "/usr/bin/heartbeat", "/usr/local/lib/kafka")
        self.write("/usr/local/lib/kafka-started", KAFKA_STARTED)
        self.run("chmod", "755", "/usr/local/lib/kafka-started")
        self.write("/etc/systemd/system/kafka.service", KAFKA_UNIT)
        self.run("systemctl", "daemon-reload")
        self.set("consumer", *CONSUMER)

    def set(self, daemon, *lines):
        """Adds lines to a settings file; the last one of a name counts."""
        self.run("tee", "-a", f"/etc/heartbeat/{daemon}.conf", input="".join(line + "\n" for line in lines))

    def set_unit(self, name, *lines):
        """Changes a unit's [Service] until the next boot."""
        self.write(
            f"/run/systemd/system/{unit(name)}.d/test.conf", "[Service]\n" + "".join(line + "\n" for line in lines)
        )
        self.run("systemctl", "daemon-reload")

    def kafka(self, command):
        """Takes the broker down or up; what is in it stays."""
        self.shell(f"echo {command} >/run/kafka.commands")

    def start(self, *lines):
        """Starts Kafka and all of heartbeat, the producer with these settings, and waits for rows."""
        self.set("producer", *lines)
        self.run("systemctl", "start", "kafka")
        start = time.monotonic()
        self.run("systemctl", "start", "heartbeat.target")
        measured("start of heartbeat.target, until all are active", start)
        self.goes_on()

    def publish(self, customer, start, seconds, bpm):
        """A reading each second since a moment, all of them at once; returns the moment after the last one."""
        rows = "".join(f"{customer},{(start + timedelta(seconds=n)).isoformat()},{bpm}\n" for n in range(seconds))
        self.write("/run/readings.csv", "customer_id,recorded_at,heart_rate\n" + rows)
        self.run(
            *self.as_user("heartbeat-producer"), "env", "METRICS_DIRECTORY=/nowhere",
            "heartbeat", "producer", "--replay", "/run/readings.csv", "--flat-out")
        return start + timedelta(seconds=seconds)

    # What is in the database

    def stored(self):
        """How many messages were ever consumed."""
        return int(self.sql("SELECT coalesce(sum(next_offset - first_offset), 0) FROM kafka_offsets"))

    def goes_on(self, within=60):
        """Waits until more is stored than now."""
        before = self.stored() if self.has_database() else 0
        return eventually("messages are stored", lambda: self.stored() > before and self.stored(), within=within)

    def has_database(self):
        return self.sql("SELECT count(*) FROM pg_database WHERE datname = 'heartbeat_db'", database="postgres") == "1"

    def verified(self):
        """Proves that each message is stored exactly once and that none was skipped; returns their number."""
        output = self.run(*self.as_user("heartbeat-consumer"), "heartbeat", "verify")
        found = re.search(r"^sound: (\d+) messages", output, re.MULTILINE)
        if not found or self.sql("SELECT count(*) FROM offset_gaps") != "0":
            raise AssertionError(f"not each message is stored exactly once:\n{output}")
        return int(found[1])

    # What systemd knows

    def status(self, name):
        """The sentence that a daemon says of itself."""
        return self.show(unit(name), "StatusText")

    def restarts(self, name):
        return int(self.show(unit(name), "NRestarts"))

    def is_restarted(self, name, pid):
        """Waits until systemd has another process for a unit, and it is ready."""
        eventually(
            f"{name} is restarted",
            lambda: self.state(unit(name)) == "active" and self.pid(unit(name)) not in (0, pid), within=120)

    def metric(self, name, metric):
        """The sum of a metric's samples in a daemon's file, or None."""
        text = self.attempt("cat", f"/run/heartbeat/{name}.prom").stdout
        samples = re.findall(rf"^{metric}(?:{{.*}})? (\S+)$", text, re.MULTILINE)
        return sum(map(float, samples)) if samples else None

    def events(self, name, since=None):
        """The entries of one kind of event; the names are those of JournalEvent."""
        options = ["--since", since] if since else []
        return self.journal(f"MESSAGE_ID={EVENTS[name]}", *options)


# Sources/Daemon/Journal/JournalEvent.swift has them.
EVENTS = {
    "started": "f8daa748c84046e3aefe4e665af62368",
    "waiting": "1b6a9aa49b4c45fb873e95e84be69ebb",
    "recovered": "81b9b91447214c7baf96ba8f4269e32c",
    "reloaded": "b3eee50e8e8a41dd87592801523b3880",
    "settingsRefused": "54b0ae2e0b2d400c82624e386d3fa779",
    "stalled": "64b30d18efb64f608c8bd0d8623da90e",
    "episodeOpened": "66756f05c05740cd930613dbeb18e774",
    "episodeClosed": "44c70cc9aad04dc498aa87284e215ed6",
}


class PipelineTest(unittest.TestCase):
    """Each test has a machine of its own: a copy of one with the package installed and nothing started yet."""

    # By release, and the release of this test.
    installed = {}
    release = None
    package = None
    # What the producer sends unless a test says otherwise: 1,000 messages a second.
    load = ["NUM_CUSTOMERS=1000"]
    starts = True

    @classmethod
    def prepare(cls, package, releases):
        """Makes the machines that those of the tests are copies of. The runner removes them."""
        PipelineTest.package = package
        for release in releases:
            machine = PipelineTest.installed[release] = Pipeline(base(release)).__enter__()
            machine.install(package)
            machine.add_kafka()
            machine.freeze()

    def setUp(self):
        self.machine = self.enterContext(Pipeline(PipelineTest.installed[self.release].layers))
        if self.starts:
            self.machine.start(*self.load)

    def explain(self):
        """Shows the machine's state and its journal; the runner calls it when the test has failed."""
        print(self.machine.attempt("systemctl", "status", "--no-pager", "--lines=0", "heartbeat*").stdout)
        print(self.machine.attempt("journalctl", "--no-pager", "--boot", "--lines=100").stdout, flush=True)
