"""Episodes of high severity: in the table, in the journal, and handed to a command with the rights of its unit."""

import time
from datetime import UTC, datetime, timedelta

from machine import eventually
from pipeline import PipelineTest, unit

# Adds its alert to a file. It waits while there is a file test.wait, and fails while there is a file test.fail.
COMMAND = r"""#!/bin/bash
{ env | sort; echo "ARGUMENTS=$*"; echo; } >>"$1"
echo "alert for $HEARTBEAT_CUSTOMER"
[ -e /etc/heartbeat/test.wait ] && { trap '' TERM; sleep 1000 & sleep 1000; }
[ -e /etc/heartbeat/test.fail ] && exit 3
exec >>"$1.reach" 2>/dev/null
for address in 127.0.0.1 198.51.100.1; do
    timeout 5 bash -c "exec 3<>/dev/tcp/$address/7777" && echo "reaches $address"
done
(: >/etc/heartbeat/probe) && echo "writes /etc"
exit 0
"""
ALERTS = "/run/heartbeat/alerts"


class Episodes(PipelineTest):
    starts = False

    def setUp(self):
        super().setUp()
        machine = self.machine
        machine.write("/usr/local/lib/alert", COMMAND)
        machine.run("chmod", "755", "/usr/local/lib/alert")
        machine.set("consumer", f"EPISODE_COMMAND=/usr/local/lib/alert {ALERTS} --to 'a b'")
        # All readings are this test's own.
        machine.run("systemctl", "start", "kafka", unit("consumer"))

    def low(self, customer):
        """Half a minute of 32 bpm, five minutes ago; returns when it ended."""
        start = datetime.now(UTC) - timedelta(seconds=300)
        return self.machine.publish(customer, self.machine.publish(customer, start, 60, 70), 30, 32)

    def alerts(self):
        """The alerts that the command received, each as a dictionary of its environment."""
        text = self.machine.attempt("cat", ALERTS).stdout
        # What comes after the last empty line is still being written.
        return [dict(line.split("=", 1) for line in part.splitlines()) for part in text.split("\n\n")[:-1] if part]

    def of(self, found, **fields):
        """Those with such fields, in the journal's or the environment's names without HEARTBEAT_."""
        return [
            one for one in found if all(one.get(f"HEARTBEAT_{name.upper()}") == text for name, text in fields.items())
        ]

    def test_from_reading_to_person(self):
        machine = self.machine
        # Somebody listens here and, as far as the sandbox knows, elsewhere.
        machine.run("ip", "address", "add", "198.51.100.1/32", "dev", "lo")
        machine.run("systemd-run", "--unit=listener", "--socket-property=ListenStream=7777", "sleep", "infinity")
        end = self.low("low")
        [alert] = eventually("its alert is sent", lambda: self.of(self.alerts(), customer="low", kind="bradycardia"))
        row = machine.sql("SELECT severity, worst_severity, closed_at, extreme_heart_rate, reason FROM episodes "
                          "WHERE customer_id = 'low' AND kind = 'bradycardia'")
        self.assertRegex(row, r"^high\|high\|\|32\|bpm 32 for \d+ s, limit 40$")

        with self.subTest("the command's environment"):
            self.assertEqual(
                {
                    name: alert[f"HEARTBEAT_{name}"]
                    for name in ["EVENT", "SEVERITY", "WORST_SEVERITY", "CLOSED_AT", "HEART_RATE"]
                },
                {"EVENT": "opened", "SEVERITY": "high", "WORST_SEVERITY": "high", "CLOSED_AT": "", "HEART_RATE": "32"},
            )
            self.assertRegex(alert["HEARTBEAT_REASON"], r"^bpm 32 for \d+ s, limit 40$")
            self.assertLess(datetime.fromisoformat(alert["HEARTBEAT_OPENED_AT"]), end)
            self.assertLess(alert["HEARTBEAT_OPENED_AT"], alert["HEARTBEAT_RAISED_AT"])
            # No shell has removed the quotes.
            self.assertEqual(alert["ARGUMENTS"], f"{ALERTS} --to 'a b'")
            # The shell's own are PWD, SHLVL and _; nothing is the unit's, such as the way to its secrets.
            others = {name for name in alert if not name.startswith("HEARTBEAT_")}
            self.assertEqual(others, {"ARGUMENTS", "PATH", "PWD", "SHLVL", "_"})

        with self.subTest("the journal"):
            [event] = self.of(machine.events("episodeOpened"), customer="low", kind="bradycardia")
            self.assertEqual(event["PRIORITY"], "4")
            for name in ["SEVERITY", "OPENED_AT", "RAISED_AT", "REASON", "HEART_RATE"]:
                self.assertEqual(event[f"HEARTBEAT_{name}"], alert[f"HEARTBEAT_{name}"])
            text = machine.run("journalctl", "--no-pager", "-x", "-u", unit("consumer"))
            self.assertIn("Subject: low has an episode of bradycardia", text)
            self.assertIn(f"Since {alert['HEARTBEAT_OPENED_AT']}: bpm 32 for", text)
            eventually("what the command says", lambda: "/usr/local/lib/alert: alert for low" in machine.run(
                "journalctl", "--no-pager", "-u", unit("consumer")))

        with self.subTest("what the command may do"):
            reach = eventually("it has tried", lambda: machine.attempt("cat", f"{ALERTS}.reach").stdout)
            self.assertEqual(reach, "reaches 127.0.0.1\n")
            # As the README says.
            machine.set_unit("consumer", "IPAddressAllow=198.51.100.1")
            machine.run("systemctl", "restart", unit("consumer"))

        machine.publish("low", end, 180, 70)
        closed = {"customer": "low", "kind": "bradycardia", "event": "closed"}
        eventually("the end is sent", lambda: self.of(self.alerts(), **closed))
        [event] = self.of(machine.events("episodeClosed"), customer="low", kind="bradycardia")
        self.assertEqual(event["PRIORITY"], "5")
        self.assertIn(
            "It lasted from", machine.run("journalctl", "--no-pager", "-x", f"MESSAGE_ID={event['MESSAGE_ID']}")
        )
        reached = "reaches 198.51.100.1"
        eventually("it reaches what is allowed", lambda: reached in machine.run("cat", f"{ALERTS}.reach"))
        self.assertEqual(
            machine.sql(
                "SELECT count(*) FROM episodes "
                "WHERE customer_id = 'low' AND kind = 'bradycardia' AND closed_at IS NOT NULL"
            ),
            "1",
        )
        eventually("it is counted", lambda: machine.metric("consumer", "heartbeat_consumer_episode_commands_total"))
        machine.verified()

    def test_a_command_that_hangs_or_fails_holds_nothing_up(self):
        machine = self.machine
        machine.run("touch", "/etc/heartbeat/test.wait")
        self.low("first")
        eventually("its alert is sent", self.alerts)
        self.assertNotEqual(machine.attempt("pgrep", "-f", "sleep 1000").stdout, "")
        # It hangs, and what comes is stored.
        machine.set("producer", "NUM_CUSTOMERS=1000")
        machine.run("systemctl", "start", unit("producer"))
        for _ in range(3):
            machine.goes_on()
        self.assertEqual(len(self.alerts()), 1)
        # It is ended after 30 s, and the next one is run.
        self.low("second")
        eventually("the next alert is sent", lambda: self.of(self.alerts(), customer="second"), within=120)
        lines = [entry["MESSAGE"] for entry in machine.journal("-u", unit("consumer"), "PRIORITY=4")]
        self.assertTrue([line for line in lines if "/usr/local/lib/alert had not ended after 30 s" in line], lines)
        # A stop does not wait for it, and leaves nothing behind.
        start = time.monotonic()
        machine.run("systemctl", "stop", unit("consumer"))
        print(f"    measured: stop while a command hangs: {time.monotonic() - start:.1f} s")
        self.assertEqual(machine.show(unit("consumer"), "Result"), "success")
        for words in ["sleep 1000", "/usr/local/lib/alert"]:
            self.assertEqual(machine.attempt("pgrep", "-f", words).stdout, "")

        machine.run("rm", "/etc/heartbeat/test.wait")
        machine.run("touch", "/etc/heartbeat/test.fail")
        machine.run("systemctl", "start", unit("consumer"))
        self.low("third")
        eventually("its alert is sent", lambda: self.of(self.alerts(), customer="third"))
        eventually(
            "its failure is reported",
            lambda: [
                entry
                for entry in machine.journal("-u", unit("consumer"), "PRIORITY=4")
                if "failed: status 3" in entry["MESSAGE"]
            ],
        )
        machine.goes_on()
        self.assertEqual(machine.restarts("consumer"), 0)
        machine.verified()

    def test_a_command_that_can_not_be_run_is_refused(self):
        machine = self.machine
        pid = machine.pid(unit("consumer"))
        machine.set("consumer", "EPISODE_COMMAND=/usr/local/lib/nothing")
        self.assertNotEqual(machine.attempt("systemctl", "reload", unit("consumer")).returncode, 0)
        self.assertEqual(machine.pid(unit("consumer")), pid)
        machine.set("consumer", "EPISODE_COMMAND=")
        machine.run("systemctl", "reload", unit("consumer"))
        [event] = eventually("it is reloaded", lambda: machine.events("reloaded"))
        self.assertEqual(event["HEARTBEAT_CHANGED"], "EPISODE_COMMAND")
        # Without the command the journal still reports it.
        self.low("low")
        eventually("the journal has it", lambda: self.of(machine.events("episodeOpened"), customer="low"))
        self.assertEqual(self.alerts(), [])
        machine.set("consumer", "EPISODE_COMMAND=/etc/passwd")
        self.assertNotEqual(machine.attempt("systemctl", "restart", unit("consumer")).returncode, 0)
        self.assertEqual(machine.show(unit("consumer"), "ExecMainStatus"), "78")
        reason = "unable to run \"/etc/passwd\": permission denied"
        self.assertTrue([e for e in machine.journal("-u", unit("consumer")) if reason in e["MESSAGE"]])

    def test_rights(self):
        machine = self.machine
        self.low("low")
        eventually(
            "there is one", lambda: machine.sql("SELECT count(*) FROM episodes", user="heartbeat-dashboard") != "0"
        )
        for statement in [
            "DELETE FROM episodes",
            "UPDATE episodes SET severity = 'low'",
            "INSERT INTO episodes DEFAULT VALUES",
            "UPDATE customer_limits SET heart_rate_min = 1",
            "TRUNCATE episodes",
        ]:
            done = machine.attempt(
                *machine.as_user("heartbeat-dashboard"),
                "psql",
                "--no-psqlrc",
                "--dbname=heartbeat_db",
                "--command",
                statement,
            )
            self.assertIn("permission denied", done.stderr, statement)
        number = machine.sql("SELECT min(episode_id) FROM episodes")
        self.assertEqual(machine.sql(f"SELECT acknowledge_episode({number}, 'me')", user="heartbeat-dashboard"), "t")
        self.assertEqual(machine.sql(f"SELECT acknowledged_by FROM episodes WHERE episode_id = {number}"), "me")
