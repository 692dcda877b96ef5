"""A whole pipeline of real processes for the browser: PostgreSQL, broker, consumer, producer, dashboard."""
import os
import re
import signal
import subprocess
import sys
import threading
import time

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
os.environ.setdefault("HEARTBEAT", os.path.join(ROOT, ".build/debug/heartbeat"))
sys.path.append(os.path.join(ROOT, "Tests/Benchmarks"))
import psycopg  # noqa: E402

import bench  # noqa: E402

PATIENCE = 90  # seconds: the machine may be busy with other work


def eventually(check, what):
    """The first true answer of `check`; fails when there is none in time. `what` is a text, or makes one of the end."""
    end = time.monotonic() + PATIENCE
    while True:
        answer = check()
        if answer:
            return answer
        if time.monotonic() > end:
            raise AssertionError(f"not within {PATIENCE} s: {what() if callable(what) else what}")
        time.sleep(0.1)


class Daemon:
    """One process of the pipeline. Its log is kept for the report of a failure."""

    def __init__(self, arguments, environment, files=None):
        self.lines = []
        limit = ["prlimit", f"--nofile={files}:{files}"] if files else []
        self.process = subprocess.Popen([*limit, bench.HEARTBEAT, *arguments, "--config", "/dev/null"], env=environment,
                                        stderr=subprocess.PIPE, text=True)
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self.process.stderr:
            self.lines.append(line.rstrip())

    def logged(self, pattern):
        """The first match of a pattern in the log, waited for."""
        def look():
            if self.process.poll() is not None:
                raise AssertionError("the daemon has ended:\n" + "\n".join(self.lines[-20:]))
            return next(filter(None, (re.search(pattern, line) for line in list(self.lines))), None)
        return eventually(look, lambda: f"{pattern!r} in the log:\n" + "\n".join(self.lines[-20:]))

    def send(self, number):
        self.process.send_signal(number)

    def stop(self):
        if self.process.poll() is None:
            self.send(signal.SIGCONT)
            self.send(signal.SIGTERM)
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        self.process.stderr.close()


class Pipeline(bench.Lab):
    """PostgreSQL and a broker; the daemons are started when a test wants them, and end with the block."""

    def __init__(self):
        super().__init__(partitions=4)
        self.daemons = {}
        self.port = 0

    def __exit__(self, *what):
        for name in ("producer", "notifier", "dashboard", "consumer"):
            self.stop(name)
        super().__exit__(*what)
        self.broker.stdin.close()
        self.broker.stdout.close()

    def start(self, name, files=None, **settings):
        """Starts a daemon; with `files` as its limit of open files."""
        own = {"consumer": "heartbeat-consumer", "dashboard": "heartbeat-dashboard",
               "notifier": "heartbeat-notifier"}.get(name)
        environment = self.environment({"METRICS_DIRECTORY": os.path.join(self.folder, "metrics"), **settings})
        os.makedirs(environment["METRICS_DIRECTORY"], exist_ok=True)
        if own is None:
            environment = {key: value for key, value in environment.items() if not key.startswith("POSTGRES_")}
        else:
            environment["POSTGRES_USER"] = own
        self.daemons[name] = Daemon([name], environment, files)

    def start_dashboard(self, files=None, **settings):
        """On a free port, and on the same one again after it was stopped."""
        self.start("dashboard", files, DASHBOARD_PORT=str(self.port), **settings)
        self.port = int(self.daemons["dashboard"].logged(r"serving on http://127\.0\.0\.1:(\d+)").group(1))

    def stop(self, name):
        if name in self.daemons:
            self.daemons.pop(name).stop()

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def rows(self, query, *parameters):
        with psycopg.connect(self.dsn("postgres")) as connection:
            return connection.execute(query, parameters).fetchall()

    def run(self, statement, *parameters):
        """A statement as the database's owner."""
        with psycopg.connect(self.dsn("postgres")) as connection:
            return connection.execute(statement, parameters)

    def new_token(self, daemon, name, path, *options):
        """Makes a token by the command, in the file of this path."""
        environment = self.environment({f"{daemon.upper()}_TOKENS_FILE": path})
        return subprocess.run([bench.HEARTBEAT, daemon, "token", name, *options], env=environment, check=True,
                              capture_output=True, text=True).stdout.strip()

    def publish(self, readings):
        """Publishes (customer, time, bpm) and waits until the database has them all."""
        readings = list(readings)
        before = self.rows("SELECT count(*) FROM heart_rate_readings")[0][0]
        bench.produce(self.bootstrap, self.topic, ((who, when.isoformat(), bpm) for who, when, bpm in readings))
        eventually(lambda: self.rows("SELECT count(*) FROM heart_rate_readings")[0][0] >= before + len(readings),
                   f"{len(readings)} readings in the database")
