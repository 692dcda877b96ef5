"""Settings: taken on reload, refused on reload, refused at the start, and secret."""

import time

from machine import eventually
from pipeline import PipelineTest, unit


class Reload(PipelineTest):
    def flagged(self, threshold):
        return int(self.machine.sql(
            f"SELECT count(*) FROM heart_rate_readings WHERE anomaly_reason LIKE 'tachycardia%threshold={threshold})'"))

    def test_good_then_bad(self):
        machine = self.machine
        pid = machine.pid(unit("consumer"))
        self.assertEqual(self.flagged(70), 0)
        assignments = len([e for e in machine.journal("-u", unit("consumer")) if "partitions" in e["MESSAGE"]])

        machine.set("consumer", "HEART_RATE_MAX=70", "BATCH_ROWS=500", "KAFKA_GROUP_ID=another")
        machine.run("systemctl", "reload", unit("consumer"))
        eventually("the threshold is the new one", lambda: self.flagged(70) > 0)
        [event] = eventually("it is in the journal", lambda: machine.events("reloaded"))
        self.assertIn("HEART_RATE_MAX", event["HEARTBEAT_CHANGED"])
        self.assertIn("BATCH_ROWS", event["HEARTBEAT_CHANGED"])
        self.assertIn("KAFKA_GROUP_ID", event["HEARTBEAT_NEEDS_RESTART"])
        again = len([e for e in machine.journal("-u", unit("consumer")) if "partitions" in e["MESSAGE"]])
        self.assertEqual(again, assignments, "there was a rebalance")

        machine.set("consumer", "HEART_RATE_MAX=71x")
        done = machine.attempt("systemctl", "reload", unit("consumer"))
        self.assertNotEqual(done.returncode, 0)
        reason = "HEART_RATE_MAX=71x: expected an integer"
        self.assertTrue([e for e in machine.journal("-u", unit("consumer")) if reason in e["MESSAGE"]])
        self.assertIn(reason, machine.run("systemctl", "status", "--no-pager", unit("consumer")))

        # The same without systemctl, which lets the daemon itself find the mistake.
        machine.kill("HUP", unit("consumer"))
        eventually("it is refused", lambda: machine.events("settingsRefused"))
        eventually("the status says so", lambda: "refused" in machine.status("consumer"))
        before = self.flagged(70)
        eventually("the old settings stay", lambda: self.flagged(70) > before)
        self.assertEqual(machine.pid(unit("consumer")), pid)
        machine.verified()


class Refusal(PipelineTest):
    starts = False

    def test_at_the_start(self):
        machine = self.machine
        machine.run("systemctl", "start", "kafka")
        machine.set("producer", "NUM_CUSTOMERS=many")
        done = machine.attempt("systemctl", "start", unit("producer"))
        self.assertNotEqual(done.returncode, 0)
        # Longer than RestartSec=.
        time.sleep(8)
        self.assertEqual(machine.state(unit("producer")), "failed")
        self.assertEqual(machine.show(unit("producer"), "ExecMainStatus"), "78")
        self.assertEqual(machine.restarts("producer"), 0)
        text = machine.run("journalctl", "--no-pager", "-x", "-t", "heartbeat-producer")
        self.assertIn("NUM_CUSTOMERS=many: expected an integer", text)
        self.assertIn("Subject: heartbeat's settings cannot be used", text)


class Secrets(PipelineTest):
    starts = False

    def test_a_password_from_a_file_that_only_root_can_read(self):
        machine = self.machine
        machine.start()
        machine.run("systemctl", "stop", "heartbeat.target")
        machine.sql("ALTER ROLE \"heartbeat-consumer\" PASSWORD 'hunter2'")
        machine.set("consumer", "POSTGRES_HOST=127.0.0.1")
        machine.write("/etc/heartbeat/consumer.secrets", "POSTGRES_PASSWORD=hunter2\n")
        machine.run("chmod", "600", "/etc/heartbeat/consumer.secrets")
        machine.run("systemctl", "start", "heartbeat.target")
        machine.goes_on()
        machine.run("systemctl", "reload", unit("consumer"))
        hosts = machine.sql("SELECT DISTINCT client_addr FROM pg_stat_activity WHERE usename = 'heartbeat-consumer'")
        self.assertEqual(hosts, "127.0.0.1")
        # Nobody else sees it.
        pid = machine.pid(unit("consumer"))
        self.assertNotIn(
            "hunter2", machine.shell(f"tr '\\0' '\\n' </proc/{pid}/environ; tr '\\0' ' ' </proc/{pid}/cmdline")
        )
        path = "/run/credentials/heartbeat-consumer.service/secrets"
        self.assertNotEqual(machine.attempt(*machine.as_user("heartbeat-producer"), "cat", path).returncode, 0)
        self.assertNotIn("hunter2", machine.run("journalctl", "--no-pager"))


class Mistakes(PipelineTest):
    """Each is named in the words that the operator knows the thing by."""

    starts = False

    def said(self, name):
        """What a unit has written."""
        return "\n".join(entry["MESSAGE"] for entry in self.machine.journal("-t", f"heartbeat-{name}"))

    def test_secrets(self):
        machine = self.machine
        path = "/etc/heartbeat/producer.secrets"
        machine.write(path, "RDKAFKA_SASL_PASSWORD=hunter2\n")
        machine.run("systemctl", "start", unit("producer"))
        eventually("the mode is named", lambda: f"{path} is readable by others than root" in self.said("producer"))
        machine.write(path, "NUM_CUSTOMERS=x\n")
        machine.attempt("systemctl", "restart", unit("producer"))
        eventually("the file is named", lambda: f"{path}:1: NUM_CUSTOMERS=x: expected" in self.said("producer"))

    def test_no_file(self):
        machine = self.machine
        machine.run("rm", "/etc/heartbeat/dashboard.conf")
        machine.run("systemctl", "start", unit("dashboard"))
        eventually("it is said", lambda: "there is no /etc/heartbeat/dashboard.conf" in self.said("dashboard"))

    def test_port_in_use(self):
        machine = self.machine
        machine.run(
            "systemd-run", "--unit=listener", "--socket-property=ListenStream=127.0.0.1:8501", "sleep", "infinity")
        machine.attempt("systemctl", "start", unit("dashboard"))
        eventually("the cause is named", lambda: "unable to listen on 127.0.0.1, port 8501: address already in use"
                   in self.said("dashboard"))
        machine.run("systemctl", "stop", "listener.socket")
        eventually("it comes back by itself", lambda: machine.state(unit("dashboard")) == "active")

    def test_instance(self):
        machine = self.machine
        name = "consumer@a\\x20b"
        machine.attempt("systemctl", "start", unit(name))
        # Longer than RestartSec=.
        time.sleep(8)
        self.assertEqual(machine.state(unit(name)), "failed")
        self.assertEqual(machine.restarts(name), 0)

    def test_root(self):
        machine = self.machine
        machine.run("systemctl", "start", unit("database"))
        done = machine.attempt("heartbeat", "verify")
        self.assertEqual(done.returncode, 69)
        self.assertIn("runuser -u heartbeat-consumer -- heartbeat verify", done.stderr)
        self.assertIn("sound", machine.run("runuser", "-u", "heartbeat-consumer", "--", "heartbeat", "verify"))
        done = machine.attempt("heartbeat", "database", "status")
        self.assertEqual(done.returncode, 69)
        self.assertIn("runuser -u postgres -- heartbeat database status", done.stderr)


class Cluster(PipelineTest):
    starts = False

    def test_latin1(self):
        machine = self.machine
        machine.run("localedef", "-i", "de_DE", "-f", "ISO-8859-1", "de_DE")
        machine.shell("version=$(ls /etc/postgresql); pg_dropcluster --stop $version main; "
                      "pg_createcluster --locale de_DE -e LATIN1 --start $version main")
        machine.start()
        encoding = machine.sql("SELECT pg_encoding_to_char(encoding), datcollate FROM pg_database "
                               "WHERE datname = 'heartbeat_db'")
        self.assertEqual(encoding, "UTF8|C.UTF-8")
        machine.verified()

    def test_full_disk(self):
        machine = self.machine
        machine.run("systemctl", "start", unit("database"))
        status = ["runuser", "-u", "postgres", "--", "heartbeat", "database", "status"]
        self.assertEqual(machine.attempt(*status).returncode, 0)
        free = int(machine.run("df", "--output=avail", "--block-size=1M", "/var/lib/postgresql").splitlines()[1])
        machine.run("fallocate", "--length", f"{free - 20}M", "/var/lib/full")
        done = machine.attempt(*status)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("full: now", done.stdout)
        machine.run("rm", "/var/lib/full")
        self.assertNotIn("full: now", machine.run(*status))
