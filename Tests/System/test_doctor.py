"""heartbeat doctor and heartbeat status in a machine: what needs systemd, rights, a disk."""

import json
import re
import tempfile

from machine import eventually
from pipeline import DAEMONS, PipelineTest, unit
from test_package import repacked


class Doctor(PipelineTest):
    def setUp(self):
        super().setUp()
        machine = self.machine
        # The machine of the tests has no need of these, one in life has.
        machine.run("systemctl", "enable", "heartbeat.target")
        machine.sql("ALTER SYSTEM SET fsync = on")
        machine.sql("SELECT pg_reload_conf()")
        self.is_well()

    def found(self):
        """What the doctor finds wrong: the checks by their names."""
        done = self.machine.attempt("heartbeat", "doctor", "--json")
        self.assertIn(done.returncode, (0, 1, 2), done.stderr)
        checks = json.loads(done.stdout)["checks"]
        return {check["name"]: check for check in checks if check["verdict"] in ("warning", "error")}

    def is_well(self):
        eventually("nothing is wrong", lambda: self.found() == {})
        self.assertEqual(self.machine.attempt("heartbeat", "doctor").returncode, 0)

    def finds(self, name, verdict):
        """Expects exactly this; returns the remedy."""
        found = eventually(f"it finds {name}", lambda: name in (found := self.found()) and found)
        self.assertEqual({name: verdict}, {key: check["verdict"] for key, check in found.items()}, found)
        done = self.machine.attempt("heartbeat", "doctor")
        self.assertEqual(done.returncode, {"warning": 1, "error": 2}[verdict])
        return found[name]["remedy"]

    def cured_by(self, name, verdict):
        """Expects exactly this, and that the remedy is a command that helps."""
        self.machine.shell(self.finds(name, verdict))
        self.is_well()

    def test_units(self):
        machine = self.machine
        machine.run("systemctl", "disable", "heartbeat.target")
        self.cured_by("units.boot", "warning")
        machine.run("systemctl", "stop", unit("producer"))
        self.cured_by("units.heartbeat-producer", "warning")
        machine.run("systemctl", "stop", "heartbeat-maintenance.timer")
        self.cured_by("units.heartbeat-maintenance", "warning")
        machine.run("touch", f"/usr/lib/systemd/system/{unit('dashboard')}")
        self.cured_by("units.reload", "warning")
        for name in ["dashboard", "maintenance"]:
            with self.subTest(failed=name):
                machine.set_unit(name, "ExecStart=", "ExecStart=/bin/false", "Restart=no")
                machine.attempt("systemctl", "restart", unit(name))
                remedy = self.finds(f"units.heartbeat-{name}", "error")
                self.assertIn(f"journalctl -x -u {unit(name)}", remedy)
                machine.run("rm", f"/run/systemd/system/{unit(name)}.d/test.conf")
                machine.run("systemctl", "daemon-reload")
                machine.shell(remedy.split("then ")[1])
                self.is_well()
        machine.run("systemctl", "stop", "heartbeat.target")
        self.cured_by("units.target", "warning")

    def test_files_and_servers(self):
        machine = self.machine
        machine.write("/etc/heartbeat/consumer.secrets", "#\n")
        self.cured_by("files.secrets", "error")
        machine.run("chown", "heartbeat-consumer", "/etc/heartbeat/consumer.secrets")
        self.cured_by("files.secrets", "error")
        machine.run("chmod", "777", "/etc/heartbeat")
        self.cured_by("files.folder", "error")
        machine.run("rm", "-r", "/run/heartbeat")
        self.cured_by("files.metrics", "warning")
        machine.set("consumer", "BATCH_ROWS=x")
        self.assertIn("consumer.conf:", self.found()["settings.consumer"]["text"])
        machine.run("sed", "-i", "$d", "/etc/heartbeat/consumer.conf")
        self.is_well()

        machine.kafka("down")
        self.finds("kafka.reachable", "error")
        machine.kafka("up")
        self.is_well()
        # As on a machine on which something else makes it full.
        machine.run("systemctl", "stop", "postgresql")
        self.assertIn("pg_lsclusters", self.finds("postgresql.reachable", "error"))
        machine.shell("""
            mkdir /root/cluster && cp -a /var/lib/postgresql/. /root/cluster/
            mount -t tmpfs -o size=400M,mode=755 tmpfs /var/lib/postgresql
            chown postgres: /var/lib/postgresql && cp -a /root/cluster/. /var/lib/postgresql/ && rm -r /root/cluster
            """)
        machine.run("systemctl", "start", "postgresql")
        self.is_well()
        machine.shell("fallocate -l $(($(df --output=avail -B1 /var/lib/postgresql | tail -n 1) - 30000000)) "
                      "/var/lib/postgresql/ballast")
        self.assertIn("make room", self.finds("disk.free", "error"))
        machine.run("rm", "/var/lib/postgresql/ballast")
        self.is_well()

    def test_advice_of_an_upgrade(self):
        machine = self.machine
        machine.sql("ALTER SYSTEM SET autovacuum = off")
        machine.sql("SELECT pg_reload_conf()")
        with tempfile.TemporaryDirectory() as folder:
            said = machine.install(repacked(self.package, "9.9.9", folder))
        self.assertIn("postgresql.autovacuum", said)
        # Also with what the doctor cannot do anything about, an upgrade succeeds.
        machine.set("consumer", "BATCH_ROWS=x")
        self.assertIn("settings.consumer", machine.install(self.package))
        self.assertEqual(machine.run("dpkg-query", "-W", "-f", "${db:Status-Status}", "heartbeat-monitor"), "installed")


class Status(PipelineTest):
    def test_one_screen(self):
        machine = self.machine
        ask = [*machine.as_user("heartbeat-dashboard"), "heartbeat", "status"]
        for name in DAEMONS:
            eventually(f"{name} is ready", lambda: re.search(rf"(?m)^{name} +ready$", machine.run(*ask)))
        shown = machine.run(*ask)
        for name in ["lag", "rate", "stored", "customers", "open highs", "readings", "disk", "full"]:
            self.assertRegex(shown, rf"(?m)^{name} ")
        self.assertLessEqual(len(shown.splitlines()), 24)
        machine.kafka("down")
        eventually("it says what is waited for", lambda: "waiting for Kafka since" in machine.run(*ask))
        self.assertIn("runuser -u heartbeat-dashboard", machine.attempt("heartbeat", "status").stdout)
