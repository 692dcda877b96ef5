"""A machine of Debian 12 becomes one of Debian 13, with heartbeat, its settings and its data in it."""

import os
import shutil
import time
import unittest

from base import next_release
from machine import eventually, measured
from pipeline import DAEMONS, PipelineTest, unit


@unittest.skipUnless("HEARTBEAT_TEST_LONG" in os.environ, "it takes minutes, and fetches a release")
class FullUpgrade(PipelineTest):
    def test_from_12_to_13(self):
        if self.release != "12":
            self.skipTest("there is no later release to go to")
        machine = self.machine
        machine.run("systemctl", "enable", "kafka", "heartbeat.target")
        machine.set("consumer", "HEART_RATE_MAX=170")
        machine.write("/etc/heartbeat/producer.secrets", "#\n")
        machine.run("chmod", "600", "/etc/heartbeat/producer.secrets")
        version = machine.run("dpkg-query", "-W", "-f", "${Version}", "heartbeat-monitor")
        users = machine.shell("getent passwd | grep ^heartbeat")

        folder, sources = next_release("12")
        shutil.copytree(folder / "lists", machine.root / "var/lib/apt/lists", dirs_exist_ok=True)
        shutil.copytree(folder / "archives", machine.root / "var/cache/apt/archives", dirs_exist_ok=True)
        machine.write("/etc/apt/sources.list", "".join(line + "\n" for line in sources))
        # Linux-HA's package of the old name is in that archive.
        self.assertRegex(machine.run("apt-cache", "policy", "heartbeat"), r"Candidate: 1:")
        stored = machine.stored()
        start = time.monotonic()
        machine.run(
            "apt-get", "--yes", "--no-download", "--no-install-recommends", "-o", "Dpkg::Options::=--force-confold",
            "full-upgrade", timeout=1800)
        measured("full-upgrade from 12 to 13", start)
        self.assertTrue(machine.run("cat", "/etc/debian_version").startswith("13"))
        self.assertEqual(
            machine.run("dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", "heartbeat-monitor"),
            f"installed {version}")
        eventually("it continues", lambda: machine.stored() > stored)

        stored = machine.stored()
        machine.power_off()
        machine.boot()
        for name in DAEMONS:
            eventually(f"{name} is back", lambda: machine.state(unit(name)) == "active")
        self.assertGreaterEqual(machine.stored(), stored)
        machine.goes_on()
        machine.verified()
        self.assertIn("HEART_RATE_MAX=170", machine.run("cat", "/etc/heartbeat/consumer.conf"))
        machine.run("ls", "/etc/heartbeat/producer.secrets")
        self.assertEqual(machine.shell("getent passwd | grep ^heartbeat"), users)
        self.assertNotIn("missing", machine.attempt("dpkg", "--verify", "heartbeat-monitor").stdout)
