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
        text = machine.run("journalctl", "--no-pager", "-x", "-u", unit("producer"))
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
