"""What the daemons may do, as scored by systemd, and as tried from inside of their sandboxes."""

from machine import eventually
from pipeline import DAEMONS, PipelineTest, unit

# Tried by a process that runs in a daemon's place, with all that its unit says but the program. Each line of its output
# is a thing that it could do.
PROBE = r"""
for folder in / /etc /etc/heartbeat /usr /var /var/lib /var/tmp /tmp /run /run/heartbeat /home /root /dev /dev/shm; do
    if (: >$folder/probe-$(id -u)) 2>/dev/null; then echo "writes $folder"; fi
done
[ -w /run/heartbeat/other.prom ] && echo "writes another's metrics"
rm -f /run/heartbeat/other.prom 2>/dev/null
[ -e /run/heartbeat/other.prom ] || echo "removes another's metrics"
for process in /proc/[0-9]*; do
    grep -qs ^NoNewPrivs $process/status || continue
    [ "$(stat -c %u $process 2>/dev/null)" = "$(id -u)" ] || echo "sees $process"
done
[ -e /proc/meminfo ] && echo "sees the machine's /proc"
cat /etc/shadow >/dev/null 2>&1 && echo "reads /etc/shadow"
cat /etc/heartbeat/*.secrets >/dev/null 2>&1 && echo "reads secrets"
kill -0 1 2>/dev/null && echo "may send signals to PID 1"
kill -0 OTHER 2>/dev/null && echo "may send signals to another daemon"
for address in 127.0.0.1 198.51.100.1; do
    # What is not allowed is not answered at all.
    if timeout 5 bash -c "exec 3<>/dev/tcp/$address/7777" 2>/dev/null; then echo "reaches $address"; fi
done
unshare --user true 2>/dev/null && echo "makes namespaces"
mount -t tmpfs tmpfs /mnt 2>/dev/null && echo "mounts"
hostname probe 2>/dev/null && echo "names the machine"
(ulimit -c 1) 2>/dev/null && echo "may dump core"
cd /run/heartbeat && cp /bin/true suid 2>/dev/null && chmod u+s suid 2>/dev/null && echo "sets user ids"
exit 0
"""

UNITS = ["producer", "gateway", "consumer", "consumer@1", "dashboard", "notifier", "database", "maintenance"]


class Score(PipelineTest):
    starts = False

    def test_exposure(self):
        for name in UNITS:
            line = self.machine.run("systemd-analyze", "security", "--no-pager", unit(name)).splitlines()[-1]
            exposure = float(line.split(":")[1].split()[0])
            print(f"    measured: exposure of {unit(name)}: {exposure}")
            self.assertLessEqual(exposure, 1.2)

    def test_no_unit_runs_as_root(self):
        for name in UNITS:
            self.assertNotIn(self.machine.show(unit(name), "User"), ["", "root", "0"])

    def test_verify(self):
        units = self.machine.shell(
            "cd /usr/lib/systemd/system; ls -d heartbeat*.service heartbeat*.timer heartbeat.target")
        units = [name.replace("@.", "@1.") for name in units.split()]
        self.assertGreaterEqual(len(units), 8)
        # The machine has no man; lintian looks at the pages.
        done = self.machine.attempt("systemd-analyze", "verify", "--man=no", *units)
        self.assertEqual((done.returncode, done.stdout + done.stderr), (0, ""))


class Effect(PipelineTest):
    starts = False

    def probe(self, name, other):
        """What a process can do in the place of a daemon."""
        machine = self.machine
        machine.write("/usr/local/lib/probe", PROBE.replace("OTHER", str(machine.pid(unit(other)))))
        machine.set_unit(
            name,
            "Type=oneshot",
            "ExecStart=",
            "ExecStart=/bin/bash /usr/local/lib/probe",
            "Restart=no",
            "WatchdogSec=0",
            "StandardOutput=truncate:/run/probe.output",
            "StandardError=null",
        )
        machine.run("rm", "-f", "/run/probe.output")
        # The daemon itself may run: a start would do nothing.
        machine.run("systemctl", "restart", unit(name))
        return set(machine.run("cat", "/run/probe.output").splitlines())

    def test_from_inside(self):
        machine = self.machine
        machine.start()
        # A listener here and, as far as the sandbox knows, on another machine.
        machine.run("ip", "address", "add", "198.51.100.1/32", "dev", "lo")
        machine.run("systemd-run", "--unit=listener", "--socket-property=ListenStream=7777", "sleep", "infinity")
        reach = "(exec 3<>/dev/tcp/198.51.100.1/7777) 2>/dev/null"
        eventually("the other address answers", lambda: machine.attempt("bash", "-c", reach).returncode == 0)
        machine.shell("echo >/run/heartbeat/other.prom; echo POSTGRES_PASSWORD=x >/etc/heartbeat/consumer.secrets; "
                      "chmod 600 /etc/heartbeat/consumer.secrets")
        allowed = {"writes /run/heartbeat", "writes /tmp", "writes /var/tmp", "reaches 127.0.0.1"}
        others = {"producer": "consumer", "consumer@probe": "producer", "dashboard": "consumer"}
        for name in ["consumer@probe", "producer", "dashboard"]:
            with self.subTest(name):
                # Where it may write and what it may reach has to work, or the other answers mean nothing.
                self.assertEqual(self.probe(name, others[name]), allowed)
        # The notifier's receivers are elsewhere, and that is all that it may do besides.
        with self.subTest("notifier"):
            self.assertEqual(self.probe("notifier", "consumer"), allowed | {"reaches 198.51.100.1"})
        # Its temporary files were its own, and systemd has removed them.
        self.assertEqual(machine.shell("find /tmp /var/tmp -name 'probe*'"), "")
        # Without the sandbox, and as root, it is possible, so the answers above mean something.
        done = set(
            machine.attempt(
                "bash", "-c", PROBE.replace("OTHER", str(machine.pid(unit("consumer"))))
            ).stdout.splitlines()
        )
        for thing in [
            "writes /etc",
            "writes /dev/shm",
            "reads /etc/shadow",
            "reads secrets",
            "reaches 198.51.100.1",
            "makes namespaces",
            "may send signals to another daemon",
            "names the machine",
            "may dump core",
            "sets user ids",
            f"sees /proc/{machine.pid(unit('consumer'))}",
        ]:
            self.assertIn(thing, done)


class Roles(PipelineTest):
    def refused(self, user, statement):
        done = self.machine.attempt(
            *self.machine.as_user(user), "psql", "--no-psqlrc", "--dbname=heartbeat_db", "--command", statement)
        self.assertNotEqual(done.returncode, 0, statement)
        self.assertRegex(done.stderr, "permission denied|must be owner", statement)

    def test_rights(self):
        machine = self.machine
        # What they may do works, or the refusals mean nothing.
        machine.sql("SELECT count(*) FROM heart_rate_readings", user="heartbeat-dashboard")
        machine.sql("INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly) "
                    "VALUES ('x', now(), 70, false)", user="heartbeat-consumer")
        for statement in [
            "INSERT INTO heart_rate_readings (customer_id, recorded_at, heart_rate, is_anomaly) "
            "VALUES ('x', now(), 70, false)",
            "UPDATE heart_rate_readings SET heart_rate = 1",
            "DELETE FROM heart_rate_readings",
            "TRUNCATE heart_rate_readings",
            "DROP TABLE heart_rate_readings",
            "CREATE TABLE mine (x int)",
            "UPDATE kafka_offsets SET next_offset = 0",
        ]:
            self.refused("heartbeat-dashboard", statement)
        for statement in [
            "DROP TABLE heart_rate_readings",
            "DROP TABLE rejected_messages",
            "TRUNCATE heart_rate_readings",
            "DELETE FROM heart_rate_readings",
            "UPDATE heart_rate_readings SET heart_rate = 1",
            "ALTER TABLE heart_rate_readings DROP COLUMN heart_rate",
            "DROP SCHEMA public CASCADE",
            "CREATE TABLE mine (x int)",
            "DROP DATABASE heartbeat_db",
        ]:
            self.refused("heartbeat-consumer", statement)
        # The producer has nothing to do with the database.
        done = machine.attempt(
            *machine.as_user("heartbeat-producer"), "psql", "--dbname=heartbeat_db", "--command=SELECT 1"
        )
        self.assertNotEqual(done.returncode, 0)
        # None of the roles is more than it seems.
        self.assertEqual(
            machine.sql(
                "SELECT count(*) FROM pg_roles "
                "WHERE rolname LIKE 'heartbeat%' AND (rolsuper OR rolcreaterole OR rolcreatedb)"
            ),
            "0",
        )
        for name in DAEMONS:
            self.assertEqual(machine.state(unit(name)), "active")
