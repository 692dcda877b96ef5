"""The package's own life: upgrade, removal, purge; and Debian's checks of it."""

import shutil
import subprocess
import tempfile
from pathlib import Path

from base import CODENAMES, base, own_release, releases, tools
from machine import eventually
from pipeline import DAEMONS, LOAD, PipelineTest, unit


def repacked(package, version, folder):
    """The same package under another version."""
    tree = Path(folder) / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    control = tree / "DEBIAN/control"
    lines = [
        f"Version: {version}" if line.startswith("Version:") else line for line in control.read_text().splitlines()
    ]
    control.write_text("\n".join(lines) + "\n")
    target = Path(folder) / f"heartbeat_{version}.deb"
    subprocess.run(["dpkg-deb", "-Znone", "--build", tree, target], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return target


class Upgrade(PipelineTest):
    load = LOAD

    def test_under_load(self):
        machine = self.machine
        machine.run("systemctl", "start", unit("consumer@2"))
        machine.set("consumer", "HEART_RATE_MAX=170")
        running = [*DAEMONS, "consumer@2"]
        before = {name: machine.pid(unit(name)) for name in running}
        stored = machine.stored()
        with tempfile.TemporaryDirectory() as folder:
            newer = repacked(self.package, "9.9.9", folder)
            machine.install(newer)
        self.assertEqual(machine.run("dpkg-query", "-W", "-f", "${Version}", "heartbeat-monitor"), "9.9.9")
        for name in running:
            eventually(f"{name} is active", lambda: machine.state(unit(name)) == "active")
            self.assertNotEqual(machine.pid(unit(name)), before[name], f"{name} was not restarted")
        self.assertIn("HEART_RATE_MAX=170", machine.run("cat", "/etc/heartbeat/consumer.conf"))
        eventually("it resumes", lambda: machine.stored() > stored + 20_000)
        machine.verified()

        # What did not run does not run afterwards.
        machine.run("systemctl", "stop", unit("producer"))
        machine.install(self.package)
        self.assertEqual(machine.state(unit("producer")), "inactive")
        self.assertEqual(machine.state(unit("consumer")), "active")
        machine.verified()


class Removal(PipelineTest):
    def test_remove_reinstall_purge(self):
        machine = self.machine
        machine.run("systemctl", "start", unit("consumer@2"))
        machine.set("producer", "NUM_CUSTOMERS=900")
        machine.write("/etc/heartbeat/producer.secrets", "#\n")

        machine.run("dpkg", "--remove", "heartbeat-monitor")
        for name in [*DAEMONS, "consumer@2"]:
            self.assertNotEqual(machine.attempt("systemctl", "is-active", unit(name)).returncode, 0)
        self.assertEqual(machine.shell("ps ax -o args | grep '^/usr/bin/heartbeat' || true"), "")
        self.assertIn("NUM_CUSTOMERS=900", machine.run("cat", "/etc/heartbeat/producer.conf"))
        stored = machine.stored()
        self.assertGreater(stored, 0)

        machine.install(self.package)
        self.assertIn("NUM_CUSTOMERS=900", machine.run("cat", "/etc/heartbeat/producer.conf"))
        self.assertNotEqual(machine.state(unit("consumer")), "active")
        machine.run("systemctl", "start", "heartbeat.target")
        eventually("it resumes where it was", lambda: machine.stored() > stored)
        machine.verified()

        stored = machine.stored()
        said = machine.run("dpkg", "--purge", "heartbeat-monitor")
        self.assertIn("the database and all its readings remain", said)
        self.assertGreaterEqual(machine.stored(), stored)
        left = machine.shell("find / -xdev -path /proc -prune -o -name '*heartbeat*' -print").splitlines()
        left = [
            path for path in left if not path.startswith(("/var/log/", "/root/heartbeat.deb", "/sys/", "/run/systemd/"))
        ]
        self.assertEqual(left, [])
        self.assertEqual(machine.run("systemctl", "list-unit-files", "--no-legend", "heartbeat*", check=False), "")
        # As the README says, the users stay.
        self.assertEqual(len(machine.shell("getent passwd | grep ^heartbeat-").splitlines()), 6)

        machine.install(self.package)
        machine.run("systemctl", "restart", "kafka")
        machine.run("systemctl", "start", "heartbeat.target")
        eventually("it works as on a clean system", lambda: machine.stored() > stored, within=120)


class Checks(PipelineTest):
    starts = False

    def setUp(self):
        """These need no machine."""

    def explain(self):
        """What they print says it all."""

    def check(self, *command):
        done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        self.assertEqual(done.returncode, 0, done.stdout[-4000:])
        return done.stdout

    def test_size(self):
        size = self.package.stat().st_size
        print(f"    measured: {size / 1e6:.1f} MB")
        self.assertLessEqual(size, 10_000_000)

    def test_lintian(self):
        output = self.check(
            "lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0", self.package
        )
        self.assertNotRegex(output, "(?m)^[EW]:")

    def test_lintian_of_later_releases(self):
        for release in [release for release in releases() if release != own_release()]:
            with self.subTest(release=release), tempfile.TemporaryDirectory() as folder:
                shutil.copy(self.package, Path(folder) / "package.deb")
                output = self.check(
                    "systemd-nspawn", "--quiet", f"--directory={tools(release)}", "--ephemeral", "--register=no",
                    "--keep-unit", "--private-network", f"--bind-ro={folder}:/mnt", "--resolv-conf=off",
                    "lintian", "--allow-root", "--fail-on", "error,warning", "--tag-display-limit", "0",
                    "/mnt/package.deb")
                self.assertNotRegex(output, "(?m)^[EW]:")

    def test_hardening(self):
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run(["dpkg-deb", "--extract", self.package, folder], check=True)
            for path in [Path(folder) / "usr/bin/heartbeat", *Path(folder).glob("usr/lib/heartbeat-monitor/*")]:
                output = self.check("readelf", "--wide", "--program-headers", "--dynamic", "--file-header", path)
                # A position of its own at each start, a stack without code, and links that nobody can change.
                self.assertRegex(output, r"Type: +DYN")
                self.assertRegex(output, r"GNU_STACK .* RW ")
                self.assertIn("GNU_RELRO", output)
                if path.name == "heartbeat":
                    self.assertRegex(output, r"BIND_NOW|FLAGS.* NOW")
                    # The C in it checks the sizes of its buffers.
                    self.assertRegex(self.check("readelf", "--wide", "--dyn-syms", path), r"__\w+printf_chk")

    def test_piuparts(self):
        self.check(
            "piuparts", "--existing-chroot", base(self.release), "--distribution", CODENAMES[self.release],
            "--no-upgrade-test", self.package)
