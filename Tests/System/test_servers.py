"""Starts and boots while Kafka and PostgreSQL are not there, or are elsewhere; hosts of which one is cut off."""

import time

from machine import eventually, measured
from pipeline import CONSUMER, DAEMONS, PARTITIONS, Pipeline, PipelineTest, unit

# Far more than a start takes, and far less than the time-outs of what it might wait for.
SOON = ["timeout", "60"]

RELAY = "/lib/systemd/systemd-socket-proxyd"
PASSWORD = "of-the-consumer"


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


class Hosts(PipelineTest):
    """Kafka and PostgreSQL on one host, consumers on two others."""

    starts = False

    def setUp(self):
        super().setUp()
        self.hosts = [self.enterContext(Pipeline(PipelineTest.installed[self.release].layers)) for _ in range(2)]

    def explain(self):
        super().explain()
        for host in self.hosts:
            print(host.attempt("journalctl", "--no-pager", "--boot", "--lines=50", "--unit=heartbeat-consumer").stdout)

    def serve(self):
        """Starts the servers and everything but the consumer, for whoever has the password."""
        server = self.machine
        server.run("systemctl", "disable", unit("consumer"))
        server.set("producer", *self.load)
        server.run("systemctl", "start", "kafka")
        server.run("systemctl", "start", "heartbeat.target")
        eventually("the database is made", server.has_database)
        eventually("the setup is done", lambda: server.show(unit("database"), "SubState") == "exited")
        server.sql(f"ALTER ROLE \"heartbeat-consumer\" PASSWORD '{PASSWORD}'")
        server.sql("ALTER SYSTEM SET listen_addresses = '*'")
        rule = "host all heartbeat-consumer 10.77.0.0/16 scram-sha-256"
        server.shell(f"echo '{rule}' >>/etc/postgresql/*/main/pg_hba.conf")
        server.run("systemctl", "restart", "postgresql")
        return server.run("cat", "/run/kafka.address")

    def connect(self, number, host, kafka):
        """Lays a cable to a host, and has a consumer work there as packaging/doc/operation.md says."""
        server, (here, there) = self.machine, (f"10.77.{number}.1", f"10.77.{number}.2")
        server.link(f"host{number}", host, "uplink")
        for machine, link, address in [(server, f"host{number}", here), (host, "uplink", there)]:
            machine.run("ip", "address", "add", f"{address}/24", "dev", link)
            machine.run("ip", "link", "set", link, "up")
        # The embedded broker listens on the loopback only, and tells its clients so.
        port = kafka.rsplit(":", 1)[1]
        for machine, listens, answers in [(server, here, "127.0.0.1"), (host, "127.0.0.1", here)]:
            machine.run(
                "systemd-run", "--quiet", f"--unit=relay{number}",
                f"--socket-property=ListenStream={listens}:{port}", RELAY, f"{answers}:{port}")
        host.run("hostname", f"host{number}")
        host.set("consumer", f"KAFKA_BOOTSTRAP_SERVERS={kafka}", f"POSTGRES_HOST={here}", *CONSUMER)
        host.set("database", f"POSTGRES_HOST={here}")
        host.write("/etc/heartbeat/consumer.secrets", f"POSTGRES_PASSWORD={PASSWORD}\n")
        host.run("chmod", "600", "/etc/heartbeat/consumer.secrets")
        host.set_unit("consumer", "IPAddressAllow=10.77.0.0/16")
        host.run("systemctl", "start", unit("consumer"))

    def share(self, *hosts):
        """Waits until these hosts have all partitions among them, and each has some."""
        def shares():
            return [host.metric("consumer", "heartbeat_consumer_assigned_partitions") or 0 for host in hosts]
        eventually("the hosts share the partitions", lambda: sum(shares()) == PARTITIONS and all(shares()), within=120)
        before = set(self.offsets())
        eventually("every partition moves on", lambda: not before & set(self.offsets()), within=120)

    def offsets(self):
        return self.machine.sql("SELECT partition, next_offset FROM kafka_offsets ORDER BY partition").splitlines()

    def test_cut_off(self):
        server, (first, second) = self.machine, self.hosts
        kafka = self.serve()
        for number, host in enumerate(self.hosts, start=1):
            self.connect(number, host, kafka)
        self.share(first, second)

        server.run("ip", "link", "set", "host2", "down")
        self.share(first)
        eventually("it says what it waits for", lambda: second.status("consumer").startswith("waiting for"), within=120)

        server.run("ip", "link", "set", "host2", "up")
        self.share(first, second)
        for host in self.hosts:
            self.assertEqual(host.restarts("consumer"), 0)

        server.run("systemctl", "stop", unit("producer"))
        eventually("all is stored", lambda: all(
            host.metric("consumer", "heartbeat_consumer_lag_messages") == 0 for host in self.hosts), within=120)
        for host in self.hosts:
            host.run("systemctl", "stop", unit("consumer"))
        self.assertEqual(server.verified(), server.stored())
        names = server.sql("SELECT DISTINCT consumer FROM pipeline_log ORDER BY consumer").splitlines()
        self.assertEqual(names, ["host1", "host2"])
