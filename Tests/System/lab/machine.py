"""A Debian machine in a container: systemd as PID 1, its own journal, network and processes."""

import ctypes
import itertools
import json
import os
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from contextlib import contextmanager
from pathlib import Path

_numbers = itertools.count(1)


class Failure(Exception):
    """A command in a machine that has failed."""


def eventually(what, condition, within=60, every=0.1):
    """Waits until the condition gives something true, and returns that. The bound allows for a slow machine."""
    deadline = time.monotonic() + within
    while True:
        found = condition()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what} (last: {found!r})")
        time.sleep(every)


def measured(name, start):
    """Prints a time that the README states; no test fails for it."""
    print(f"    measured: {name}: {time.monotonic() - start:.1f} s", flush=True)


@contextmanager
def stopped_thread(pid, name):
    """Stops one thread of a process as ptrace(2) can: the others do not notice, and no signal wakes it but SIGKILL.

    `main` is the process's first thread; the other names are those that the threads have given themselves.
    """
    seize, interrupt, detach, any_child = 0x4206, 0x4207, 17, 0x40000000
    threads = {path.parent.name: path.read_text().strip() for path in Path(f"/proc/{pid}/task").glob("*/comm")}
    found = [int(tid) for tid, comm in threads.items() if (tid == str(pid) if name == "main" else comm == name)]
    if len(found) != 1:
        raise Failure(f"process {pid} has no thread {name}: {threads}")
    ptrace = ctypes.CDLL(None, use_errno=True).ptrace
    ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    for request in (seize, interrupt):
        if ptrace(request, found[0], None, None) != 0:
            raise OSError(ctypes.get_errno(), f"unable to stop thread {found[0]}")
    os.waitpid(found[0], any_child)

    def bury():
        # The kernel reports its end to the tracer first, and only then to systemd.
        try:
            os.waitpid(found[0], any_child)
        except ChildProcessError:
            pass

    threading.Thread(target=bury, daemon=True).start()
    yield
    ptrace(detach, found[0], None, None)


class Machine:
    """A fresh copy of a base system, or of other machines' layers. As a context it boots, and goes without a trace."""

    def __init__(self, base):
        self.base = base
        self.name = f"heartbeat-{os.getpid()}-{next(_numbers)}"
        self.folder = Path(tempfile.mkdtemp(prefix=self.name + "-", dir="/var/tmp"))
        self.root = self.folder / "root"
        # What a further machine can be a copy of, when this one is frozen.
        self.layers = f"{self.folder}/disk/upper:{base}"
        self._nspawn = None

    def __enter__(self):
        try:
            self._mount()
            self.boot()
        except BaseException:
            self._remove()
            raise
        return self

    def __exit__(self, *_):
        try:
            self.power_off()
        finally:
            self._remove()

    # Life

    def boot(self):
        """Starts systemd and returns when it has started everything."""
        for path in self._cgroups():
            path.mkdir(exist_ok=True)
        console = open(self.folder / "console", "ab")
        # The machine does not register itself: this system's own PID 1 may be no systemd. Without the filter for bpf,
        # IPAddressDeny= does nothing, and does not say so.
        self._nspawn = subprocess.Popen(
            [
                "systemd-nspawn",
                "--quiet",
                f"--machine={self.name}",
                f"--directory={self.root}",
                "--boot",
                "--register=no",
                "--keep-unit",
                "--console=pipe",
                "--system-call-filter=bpf",
                "--link-journal=no",
                "--timezone=off",
                "--resolv-conf=off",
                "--private-network",
            ],
            stdin=subprocess.DEVNULL,
            stdout=console,
            stderr=console,
            start_new_session=True,
            preexec_fn=self._enter_cgroups,
        )
        console.close()
        eventually(f"{self.name} has systemd", self._has_systemd, within=60)
        # systemd-nspawn mounts the controllers read-only, and MemoryMax= and TasksMax= would do nothing.
        for path in Path("/sys/fs/cgroup").iterdir():
            subprocess.run(
                ["nsenter", "-t", str(self._leader()), "-m", "mount", "-o", "remount,bind,rw,nosuid,nodev,noexec",
                 str(path)], stderr=subprocess.DEVNULL)
        self.run("systemctl", "is-system-running", "--wait", check=False)
        self.run("systemctl", "daemon-reexec")
        failed = self.run("systemctl", "--failed", "--no-legend", "--plain")
        if failed:
            raise Failure(f"{self.name} has booted with failed units:\n{failed}")

    def power_off(self):
        """Shuts the machine down in order, and by force when that takes too long."""
        if self._nspawn is None:
            return
        leader = self._leader()
        if leader:
            os.kill(leader, signal.SIGRTMIN + 4)
        try:
            self._nspawn.wait(timeout=120)
        except subprocess.TimeoutExpired:
            os.kill(self._leader() or self._nspawn.pid, signal.SIGKILL)
            self._nspawn.wait(timeout=60)
        self._nspawn = None

    def freeze(self):
        """Makes its layers what other machines can be copies of; it does not boot again."""
        self.power_off()
        subprocess.run(["umount", self.root], check=True)

    # What happens in it

    def run(self, *command, check=True, input=None, timeout=300):
        """Runs a command in the machine, as root, and returns what it wrote on standard output."""
        done = self.attempt(*command, input=input, timeout=timeout)
        if check and done.returncode != 0:
            raise Failure(f"{' '.join(map(str, command))}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done.stdout.strip()

    def attempt(self, *command, input=None, timeout=300):
        """Runs a command in the machine and returns its status, output and errors."""
        environment = [
            "PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root", "LANG=C.UTF-8", "DEBIAN_FRONTEND=noninteractive",
        ]
        return subprocess.run(
            ["nsenter", "-t", str(self._leader()), "-a", "-r", "-w", "env", "-i", *environment, *map(str, command)],
            input=input, capture_output=True, text=True, timeout=timeout, errors="replace")

    def shell(self, script, check=True):
        """Runs a script of the shell in the machine."""
        return self.run("bash", "-euo", "pipefail", "-c", script, check=check)

    def write(self, path, text):
        """Writes a file of the machine."""
        self.run("install", "-D", "-m", "644", "/dev/stdin", path, input=text)

    def copy_in(self, source, path):
        """Copies a file of this system into the machine."""
        shutil.copy(source, self.root / str(path).lstrip("/"))

    def link(self, name, other, others_name):
        """Lays a cable to another machine; each gets a network interface of its name."""
        subprocess.run(
            ["ip", "link", "add", name, "netns", str(self._leader()), "type", "veth",
             "peer", "name", others_name, "netns", str(other._leader())], check=True)

    def show(self, unit, name):
        """A property of a unit, as `systemctl show` has it."""
        return self.run("systemctl", "show", "--property", name, "--value", unit)

    def state(self, unit):
        """active, failed, activating, ..."""
        return self.show(unit, "ActiveState")

    def pid(self, unit):
        """The process of a unit."""
        return int(self.show(unit, "MainPID"))

    def kill(self, sign, unit):
        """Sends a signal to the main process of a unit."""
        self.run("kill", f"-{sign}", self.pid(unit))

    def journal(self, *options):
        """The entries of the journal, each a dictionary of its fields."""
        self.run("journalctl", "--sync")
        lines = self.run("journalctl", "--quiet", "--output=json", "--all", *options).splitlines()
        return [json.loads(line) for line in lines]

    def sql(self, statement, user="postgres", database="heartbeat_db"):
        """What a statement gives, as rows of `psql`; the role is the system user's."""
        return self.run(
            *self.as_user(user),
            "psql",
            "--no-psqlrc",
            "--quiet",
            "--tuples-only",
            "--no-align",
            "--set=ON_ERROR_STOP=1",
            "--dbname",
            database,
            "--command",
            statement,
        )

    @staticmethod
    def as_user(user):
        """The words that make a command another user's. Unlike runuser they leave no line in the journal."""
        return [
            "setpriv",
            f"--reuid={user}",
            "--init-groups",
            f"--regid={'postgres' if user == 'postgres' else 'heartbeat'}",
        ]

    def outside(self, pid):
        """A process of the machine, as this system counts."""
        for status in Path("/proc").glob("[0-9]*/status"):
            try:
                numbers = re.search(r"^NSpid:\s+(.*)$", status.read_text(), re.MULTILINE)[1].split()
                same = os.readlink(status.parent / "ns/pid") == os.readlink(f"/proc/{self._leader()}/ns/pid")
            except (OSError, TypeError):
                continue
            if same and numbers[-1] == str(pid):
                return int(numbers[0])
        raise Failure(f"{self.name} has no process {pid}")

    # How it is made

    def _mount(self):
        self.root.mkdir()
        disk = self.folder / "disk"
        disk.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3G,mode=755", "heartbeat", disk], check=True)
        (disk / "upper").mkdir()
        (disk / "work").mkdir()
        layers = f"lowerdir={self.base},upperdir={disk}/upper,workdir={disk}/work"
        subprocess.run(["mount", "-t", "overlay", "-o", layers, "overlay", self.root], check=True)

    def _remove(self):
        for path in (self.root, self.folder / "disk"):
            if path.is_mount():
                subprocess.run(["umount", "-R", path], check=False)
        for path in self._cgroups():
            # Only what is empty goes.
            for folder, _, _ in os.walk(path, topdown=False):
                try:
                    os.rmdir(folder)
                except OSError:
                    pass
        if not self.root.is_mount() and not (self.folder / "disk").is_mount():
            shutil.rmtree(self.folder, ignore_errors=True)

    def _cgroups(self):
        """One in each hierarchy: in the same one, two machines would share what systemd makes."""
        mounts = Path("/proc/self/mounts").read_text().splitlines()
        return [Path(line.split()[1]) / self.name for line in mounts if re.match(r"\S+ \S+ cgroup2? ", line)
                and not line.split()[1].endswith("/cpuset")]

    def _enter_cgroups(self):
        for path in self._cgroups():
            (path / "cgroup.procs").write_text(str(os.getpid()))
        # The machine ends with the tests, however these end.
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)

    def _leader(self):
        """The machine's PID 1 as this system counts, or None."""
        try:
            children = Path(f"/proc/{self._nspawn.pid}/task/{self._nspawn.pid}/children").read_text().split()
        except (OSError, AttributeError):
            return None
        return int(children[0]) if children else None

    def _has_systemd(self):
        if self._nspawn.poll() is not None:
            raise Failure("systemd-nspawn has ended:\n" + (self.folder / "console").read_text(errors="replace"))
        leader = self._leader()
        return bool(leader) and Path(f"/proc/{leader}/root/run/systemd/private").exists()
