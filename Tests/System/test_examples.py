"""What the documents tell people to type, as it stands there: the gateway's examples, and those of the dashboard."""

import json
import re
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

from machine import eventually
from pipeline import PipelineTest

ROOT = Path(__file__).resolve().parents[2]
# The models of FHIR by others, where packaging/test puts them.
sys.path.insert(0, str(ROOT / ".build/fhir"))


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
    from fhir.resources.R4B import get_fhir_model_class

    [resource] = answers(text)
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)
    return resource


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
