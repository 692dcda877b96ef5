"""The package's name: nobody else has it, and builds from the time when it had another are replaced."""

import os
import re
import shutil
import subprocess
import tempfile
import unittest
from pathlib import Path

from machine import eventually
from pipeline import CONSUMER, DAEMONS, PipelineTest, unit
from test_package import repacked

NAME = "heartbeat-monitor"


def under_its_old_name(package, folder, version=None):
    """The same package as it was built before: called heartbeat, with its units in /lib."""
    tree = Path(folder) / "tree"
    subprocess.run(["dpkg-deb", "--raw-extract", package, tree], check=True)
    control = tree / "DEBIAN/control"
    text = control.read_text().replace(f"Package: {NAME}\n", "Package: heartbeat\n")
    text = re.sub(r"^Conflicts:.*\n", "", text, flags=re.MULTILINE)
    control.write_text(re.sub(r"(?<=^Version: ).*", version or r"\g<0>", text, flags=re.MULTILINE))
    (tree / "lib").mkdir()
    shutil.move(tree / "usr/lib/systemd", tree / "lib/systemd")
    (tree / "usr/lib/systemd").mkdir()
    shutil.move(tree / "lib/systemd/catalog", tree / "usr/lib/systemd/catalog")
    for path in ["usr/share/doc/", "usr/share/lintian/overrides/"]:
        shutil.move(tree / (path + NAME), tree / (path + "heartbeat"))
    for path in ["usr/lib/sysusers.d/", "usr/lib/tmpfiles.d/"]:
        shutil.move(tree / f"{path}{NAME}.conf", tree / f"{path}heartbeat.conf")
    for script in ["postinst", "postrm", "prerm"]:
        path = tree / "DEBIAN" / script
        path.write_text(path.read_text().replace(NAME, "heartbeat"))
    target = Path(folder) / "heartbeat.deb"
    subprocess.run(["dpkg-deb", "-Znone", "--build", tree, target], check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(tree)
    return target


class OldName(PipelineTest):
    starts = False

    def setUp(self):
        super().setUp()
        machine = self.machine
        machine.run("dpkg", "--purge", NAME)
        with tempfile.TemporaryDirectory() as folder:
            machine.install(under_its_old_name(self.package, folder))
        machine.set("consumer", *CONSUMER)
        machine.start(*self.load)

    def test_replaced(self):
        machine = self.machine
        machine.run("systemctl", "enable", "heartbeat.target", unit("consumer@2"))
        machine.run("systemctl", "start", unit("consumer@2"))
        machine.run("systemctl", "disable", "--now", unit("dashboard"))
        machine.set("consumer", "HEART_RATE_MAX=170")
        machine.write("/etc/heartbeat/producer.secrets", "#\n")
        users = machine.shell("getent passwd | grep ^heartbeat")

        # Without apt it is refused, and nothing has changed.
        machine.copy_in(self.package, "/root/new.deb")
        done = machine.attempt("dpkg", "-i", "/root/new.deb")
        self.assertIn("conflicting packages", done.stderr)
        self.assertEqual(machine.state(unit("consumer")), "active")
        stored = machine.stored()

        said = machine.install(self.package)
        self.assertIn("heartbeat.target is enabled and starts again", said)
        for name in ["producer", "consumer", "consumer@2"]:
            eventually(f"{name} is active", lambda: machine.state(unit(name)) == "active")
        self.assertEqual(machine.state(unit("dashboard")), "inactive")
        eventually("it continues", lambda: machine.stored() > stored)
        self.assertEqual(machine.shell("getent passwd | grep ^heartbeat"), users)
        self.assertIn("HEART_RATE_MAX=170", machine.run("cat", "/etc/heartbeat/consumer.conf"))

        # What is left of the old one can be removed.
        machine.run("dpkg", "--purge", "heartbeat")
        self.assertIn("HEART_RATE_MAX=170", machine.run("cat", "/etc/heartbeat/consumer.conf"))
        machine.run("ls", "/etc/heartbeat/producer.secrets", "/usr/lib/systemd/system/heartbeat.target")
        for name in ["heartbeat.target", unit("consumer"), unit("consumer@2")]:
            self.assertEqual(machine.run("systemctl", "is-enabled", name), "enabled")
        self.assertNotIn("missing", machine.attempt("dpkg", "--verify", NAME).stdout)
        machine.verified()

    def test_not_started_when_it_is_not_enabled(self):
        machine = self.machine
        machine.install(self.package)
        for name in DAEMONS:
            self.assertEqual(machine.state(unit(name)), "inactive")


class Repository(PipelineTest):
    """A life by apt alone, from a repository that packaging/build-repository has signed."""

    starts = False

    def setUp(self):
        super().setUp()
        self.folder = Path(self.enterContext(tempfile.TemporaryDirectory()))
        self.environment = {**os.environ, "GNUPGHOME": str(self.folder / "gnupg")}
        (self.folder / "gnupg").mkdir(mode=0o700)
        self.local(
            "gpg", "--batch", "--pinentry-mode", "loopback", "--passphrase", "", "--quick-generate-key", "tests")
        self.machine.run("dpkg", "--purge", NAME)

    def local(self, *command):
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)

    def publish(self, *packages):
        """Puts packages into the repository, and that into the machine."""
        script = Path(__file__).resolve().parent.parent.parent / "packaging/build-repository"
        self.local(script, "tests", self.folder / "repository", *packages)
        shutil.copytree(self.folder / "repository", self.machine.root / "srv/repository", dirs_exist_ok=True)
        self.machine.run(
            "install", "-D", "-m", "644", "/srv/repository/heartbeat.gpg", "/etc/apt/keyrings/heartbeat.gpg")
        self.machine.write(
            "/etc/apt/sources.list",
            "deb [signed-by=/etc/apt/keyrings/heartbeat.gpg] file:/srv/repository stable main\n")
        self.machine.shell("rm -f /etc/apt/sources.list.d/*")
        self.machine.run("apt-get", "update", "--error-on=any")

    def apt(self, *arguments):
        return self.machine.run("apt-get", "--yes", "--no-install-recommends", *arguments)

    def version(self):
        return self.machine.run("dpkg-query", "-W", "-f", "${db:Status-Status} ${Version}", NAME)

    def test_life(self):
        machine = self.machine
        self.publish(under_its_old_name(self.package, self.folder))
        self.apt("install", "heartbeat")
        machine.set("consumer", *CONSUMER)
        machine.run("systemctl", "enable", "heartbeat.target")
        machine.start(*self.load)

        # From the old name to the new one.
        self.publish(self.package)
        self.apt("install", NAME)
        eventually("it continues", machine.goes_on)
        # Linux-HA's package, as far as apt is concerned.
        another = self.folder / "another"
        another.mkdir()
        self.publish(under_its_old_name(self.package, another, "1:3.0.6-17"))
        before = self.version()
        self.apt("upgrade")
        self.apt("dist-upgrade")
        self.assertEqual(self.version(), before)
        self.assertEqual(machine.state(unit("consumer")), "active")

        # To a newer version.
        self.publish(repacked(self.package, "9.9.9", self.folder))
        pid = machine.pid(unit("consumer"))
        self.apt("upgrade")
        self.assertEqual(self.version(), "installed 9.9.9")
        eventually("the consumer is a new one", lambda: machine.pid(unit("consumer")) not in (0, pid))
        machine.goes_on()
        machine.verified()

        stored = machine.stored()
        self.apt("remove", NAME)
        self.assertEqual(machine.attempt("systemctl", "is-active", unit("consumer")).stdout.strip(), "inactive")
        machine.run("ls", "/etc/heartbeat/consumer.conf")
        self.apt("purge", NAME)
        self.assertNotEqual(machine.attempt("ls", "/etc/heartbeat/consumer.conf").returncode, 0)
        self.assertGreaterEqual(machine.stored(), stored)


class Archive(unittest.TestCase):
    """Asks the archives that this system's apt knows."""

    def apt(self, *command, cwd=None):
        return subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd).stdout

    def explain(self):
        """What was found says it all."""

    def test_the_name_is_free(self):
        self.assertNotRegex(self.apt("apt-cache", "policy", NAME), r"Candidate: \d")

    def test_nobody_else_has_our_files(self):
        ours = self.files(PipelineTest.package)
        conflicts = self.apt("dpkg-deb", "--field", PipelineTest.package, "Conflicts").replace(",", " ").split()
        names = [name for name in self.apt("apt-cache", "pkgnames").split() if "heartbeat" in name and name != NAME]
        found = []
        with tempfile.TemporaryDirectory() as folder:
            for name in names:
                if not re.search(r"Candidate: \d", self.apt("apt-cache", "policy", name)):
                    continue
                self.apt("apt-get", "-o", "APT::Sandbox::User=root", "download", name, cwd=folder)
                found.append(name)
                [package] = Path(folder).glob("*.deb")
                same = ours & self.files(package)
                package.unlink()
                if name not in conflicts:
                    self.assertEqual(same, set(), name)
        # Debian's own, or it was not asked.
        self.assertIn("heartbeat", found)
        self.assertIn("heartbeat", conflicts)

    def files(self, package):
        """The files of a package, each by the one name that a merged /usr gives it."""
        listing = self.apt("dpkg-deb", "--contents", package).splitlines()
        paths = [line.split(maxsplit=5)[5].split(" -> ")[0].removeprefix("./") for line in listing]
        return {re.sub(r"^(lib|bin|sbin)/", r"usr/\1/", path) for path in paths if path and not path.endswith("/")}
