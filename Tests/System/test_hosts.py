"""Several hosts: Kafka and PostgreSQL on one, consumers on two others, one of which is cut off."""

from machine import eventually
from pipeline import CONSUMER, PARTITIONS, Pipeline, PipelineTest, unit

RELAY = "/lib/systemd/systemd-socket-proxyd"
PASSWORD = "of-the-consumer"


class Hosts(PipelineTest):
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
