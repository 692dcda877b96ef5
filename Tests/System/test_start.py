"""From dpkg -i to rows, what the daemons say of it, and what the documents tell people to type."""

import json
import os
import re
import sys
import time
import unittest
from datetime import UTC, datetime, timedelta
from pathlib import Path

from machine import eventually
from pipeline import DAEMONS, EVENTS, PipelineTest, unit

ROOT = Path(__file__).resolve().parents[2]


def examples(document):
    """The parts of a document that are for a shell and have to do with a token."""
    parts = re.findall(r"^```sh\n(.*?)^```$", (ROOT / document).read_text(), re.MULTILINE | re.DOTALL)
    return [part for part in parts if "token" in part]


def answers(text):
    """The JSON that comes one after another at the beginning of a text."""
    found = []
    while text.startswith("{"):
        answer, end = json.JSONDecoder().raw_decode(text)
        found.append(answer)
        text = text[end:].lstrip()
    return found


def fhir(text):
    """A resource, which is what FHIR takes for one."""
    # Where packaging/test puts the models of others.
    sys.path.insert(0, str(ROOT / ".build/fhir"))
    from fhir.resources.R4B import get_fhir_model_class

    [resource] = answers(text)
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return resource


class Installation(PipelineTest):
    starts = False

    def test_nothing_starts_by_itself(self):
        # The machine was booted with the package in it.
        running = self.machine.run("systemctl", "list-units", "--all", "--no-legend", "--plain", "heartbeat*")
        self.assertEqual(running, "")
        self.assertEqual(self.machine.attempt("systemctl", "is-enabled", "heartbeat.target").stdout.strip(), "disabled")
        self.assertFalse(self.machine.has_database())

    def test_users_and_folders(self):
        users = self.machine.shell("getent passwd | grep ^heartbeat").splitlines()
        self.assertEqual(len(users), 6)
        for user in users:
            self.assertTrue(user.endswith("/usr/sbin/nologin"), user)
        self.assertEqual(self.machine.run("stat", "-c", "%A %U %G", "/run/heartbeat"), "drwxrwsr-t root heartbeat")

    def test_commands_and_manual_are_there(self):
        self.assertIn("consumer", self.machine.run("heartbeat", "--help"))
        pages = self.machine.shell("find /usr/share/man -name 'heartbeat*' | sed 's/.*man//' | sort").split()
        for page in ["1/heartbeat.1.gz", "5/heartbeat-consumer.conf.5.gz", "8/heartbeat-consumer.8.gz"]:
            self.assertIn(page, pages)
        for path in [
            "bash-completion/completions/heartbeat", "zsh/vendor-completions/_heartbeat",
            "fish/vendor_completions.d/heartbeat.fish",
        ]:
            self.assertIn("heartbeat", self.machine.run("cat", f"/usr/share/{path}"))
        self.assertEqual(self.machine.run("ls", "/usr/share/doc/heartbeat-monitor/heartbeat.spdx.json").count("\n"), 0)


class Start(PipelineTest):
    def test_all_of_it(self):
        machine = self.machine
        for name in DAEMONS:
            with self.subTest(active=name):
                self.assertEqual(machine.state(unit(name)), "active")
                self.assertEqual(machine.restarts(name), 0)
                self.assertNotEqual(machine.show(unit(name), "User"), "root")
        self.assertEqual(machine.run("systemctl", "--failed", "--no-legend"), "")
        self.assertGreater(machine.verified(), 0)

        with self.subTest("fields in the journal"):
            entries = machine.journal("-u", unit("consumer"), f"MESSAGE_ID={EVENTS['started']}")
            self.assertEqual(len(entries), 1)
            self.assertEqual(entries[0]["HEARTBEAT_COMPONENT"], "consumer")
            self.assertEqual(entries[0]["_SYSTEMD_UNIT"], unit("consumer"))
            self.assertEqual(entries[0]["PRIORITY"], "5")

        with self.subTest("catalog"):
            text = machine.run("journalctl", "-x", "--no-pager", "-u", unit("consumer"))
            self.assertIn("Subject: heartbeat works", text)
            self.assertIn(f"systemctl status {unit('consumer')}", text)

        with self.subTest("status"):
            self.assertRegex(eventually("a rate", lambda: machine.status("consumer")), r"\d")

        with self.subTest("metrics"):
            for name in DAEMONS:
                eventually(f"{name} is ready", lambda: machine.metric(name, "heartbeat_ready") == 1)
            self.assertGreater(machine.metric("consumer", "heartbeat_consumer_messages_total"), 0)
            modes = machine.shell("stat -c '%a %U %n' /run/heartbeat/*.prom").splitlines()
            for name in DAEMONS:
                self.assertIn(f"644 heartbeat-{name} /run/heartbeat/{name}.prom", modes)

        with self.subTest("every line has its daemon's name"):
            for name in DAEMONS:
                names = {entry["SYSLOG_IDENTIFIER"] for entry in machine.journal(f"_SYSTEMD_UNIT={unit(name)}")}
                self.assertEqual(names, {f"heartbeat-{name}"})

        with self.subTest("quiet"):
            # A line a minute at most, whatever comes in; what is said at the start does not count.
            cursor = json.loads(machine.run("journalctl", "-n1", "-o", "json", "-u", unit("consumer")))["__CURSOR"]
            before = machine.stored()
            eventually("5,000 more messages", lambda: machine.stored() > before + 5000)
            lines = machine.journal("-u", unit("consumer"), f"--after-cursor={cursor}")
            self.assertLessEqual(len(lines), 2, [line["MESSAGE"] for line in lines])

    def test_the_dashboard_shows_it(self):
        def fetch(path):
            return self.machine.run("curl", "--silent", "--show-error", "--fail", f"http://127.0.0.1:8501{path}")

        self.assertIn("<html", fetch("/"))
        fetch("/readyz")
        # It looks at the other daemons' files once a second.
        for name in DAEMONS:
            eventually(f"{name} is ready", lambda: f'heartbeat_ready{{daemon="{name}"}} 1' in fetch("/metrics"))


class Examples(PipelineTest):
    # A reading each second of 20 customers, as it is installed.
    load = []

    def setUp(self):
        super().setUp()
        # The variable of the shell in which all is typed.
        self.token = ""

    def typed(self, lines, ends=True):
        """What comes of lines in a shell; what goes on until somebody ends it is ended after some seconds."""
        script = f"{self.token}\n{lines}\ndeclare -p token >/run/token"
        done = self.machine.attempt("timeout", 60 if ends else 5, "bash", "-ec", script)
        self.assertEqual(done.returncode, 0 if ends else 124, lines + done.stdout + done.stderr)
        if ends:
            self.token = self.machine.run("cat", "/run/token")
        return done.stdout

    def is_stored(self, line, rate):
        """Waits until a line shows the row of a rate."""
        eventually(f"the row of {rate}", lambda: re.search(rf"gym_1 .* {rate} \|", self.typed(line)))

    def test_readme(self):
        [lines] = examples("README.md")
        [answer] = answers(self.typed(lines))
        self.assertEqual((answer["accepted"], answer["rejected"]), (1, []))
        self.is_stored(lines.splitlines()[-1], 72)
        self.machine.verified()

    def test_gateway(self):
        [lines, observation, refused] = examples("packaging/doc/gateway.md")
        [answer] = answers(self.typed(lines))
        self.assertEqual(answer["accepted"], 1)
        sent = fhir(self.typed(observation))
        self.assertEqual((sent["resourceType"], sent["valueQuantity"]["value"]), ("Observation", 73))
        [answer] = answers(self.typed(refused))
        self.assertEqual([rejected["code"] for rejected in answer["rejected"]], ["out_of_range"])
        for rate in [72, 73]:
            self.is_stored(lines.splitlines()[-1], rate)

    def test_dashboard(self):
        machine = self.machine
        machine.publish("cust_0001", datetime(2026, 2, 19, 15, 53, tzinfo=UTC), 3, 72)
        # Half a minute of 32 bpm opens an episode.
        start = datetime.now(UTC) - timedelta(seconds=300)
        machine.publish("low", machine.publish("low", start, 60, 70), 30, 32)
        number = eventually(
            "the episode", lambda: machine.sql("SELECT min(episode_id) FROM episodes WHERE customer_id = 'low'"))
        [programs, events, observations] = examples("packaging/doc/dashboard.md")
        self.assertIn("/17/", programs)
        listed, acknowledged = answers(self.typed(programs.replace("/17/", f"/{number}/")))
        self.assertIn("low", [episode["customer_id"] for episode in listed["items"]])
        self.assertEqual(acknowledged["acknowledged_by"], "bell")
        eventually("both events", lambda: {"opened", "acknowledged"} <= set(
            re.findall(r'"event":"(\w+)"', self.typed(events, ends=False))))
        self.assertGreaterEqual(len(fhir(self.typed(observations))["entry"]), 3)

        [token, events, readings, issues] = examples("packaging/doc/integrations.md")
        self.typed(token)
        self.assertRegex(self.typed(events, ends=False), r"\nid: \d+\n")
        bundle, objects = answers(self.typed(readings))
        self.assertEqual(len(fhir(json.dumps(bundle))["entry"]), 3)
        self.assertEqual([reading["heart_rate"] for reading in objects["items"]], [72] * 3)
        self.assertIn("low", [
            entry["resource"]["patient"]["identifier"]["value"] for entry in fhir(self.typed(issues))["entry"]])


@unittest.skipUnless("HEARTBEAT_TEST_LONG" in os.environ, "it takes ten minutes")
class Idle(PipelineTest):
    def test_ten_minutes(self):
        machine = self.machine
        machine.run("systemctl", "stop", unit("producer"))
        for name in ["consumer", "dashboard"]:
            eventually(f"{name} is ready", lambda: machine.metric(name, "heartbeat_ready") == 1)
        cursor = json.loads(machine.run("journalctl", "-n1", "-o", "json"))["__CURSOR"]
        time.sleep(600)
        # Whatever has to do with it, also systemd's lines.
        lines = [entry for entry in machine.journal(f"--after-cursor={cursor}") if "heartbeat" in json.dumps(entry)]
        texts = [entry["MESSAGE"] for entry in lines]
        print(f"    measured: {len(lines)} lines in ten idle minutes: {texts}")
        self.assertEqual([entry["MESSAGE"] for entry in lines if int(entry["PRIORITY"]) <= 4], [])
        # At most 15 an hour.
        self.assertLessEqual(len(lines) * 6, 15, texts)
