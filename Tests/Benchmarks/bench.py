"""What the benchmarks share: a private PostgreSQL cluster, an embedded broker, messages, and the program."""
import bisect
import contextlib
import datetime as dt
import glob
import json
import os
import pwd
import random
import re
import select
import shutil
import signal
import subprocess
import tempfile
import threading
import time

import psycopg
from confluent_kafka import Producer
from confluent_kafka.admin import AdminClient, NewTopic

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
HEARTBEAT = os.environ.get("HEARTBEAT", os.path.join(ROOT, ".build/release/heartbeat"))
UTC = dt.UTC


def payload(customer, when, bpm):
    return json.dumps({"schema_version": "1.0", "customer_id": customer, "timestamp": when, "heart_rate": bpm}).encode()


def synthetic(count, customers, seed=1):
    """Readings of today, one after another customer, 3 % of them anomalies."""
    rnd = random.Random(seed)
    start = dt.datetime.now(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    for i in range(count):
        bpm = rnd.choice((rnd.randint(20, 39), rnd.randint(181, 220))) if rnd.random() < 0.03 \
            else int(min(179, max(41, rnd.gauss(75, 15))))
        yield f"cust_{i % customers + 1:04d}", (start + dt.timedelta(microseconds=50 * i + 1)).isoformat(), bpm


def produce(bootstrap, topic, rows, partitions=None):
    """Publishes rows; returns messages/s. With a number of partitions customers take them in turn, all equally full."""
    producer = Producer(
        {
            "bootstrap.servers": bootstrap,
            "linger.ms": 50,
            "acks": "all",
            "partitioner": "murmur2_random",
            "queue.buffering.max.messages": 500000,
        }
    )
    failed = []
    start, count = time.monotonic(), 0
    for customer, when, bpm in rows:
        while True:
            try:
                partition = int(customer[-4:]) % partitions if partitions else -1
                producer.produce(topic, payload(customer, when, bpm), customer.encode(), partition,
                                 on_delivery=lambda error, _: failed.append(error) if error else None)
                break
            except BufferError:
                producer.poll(0.1)
        count += 1
        if count % 1000 == 0:
            producer.poll(0)
    producer.flush(120)
    if failed:
        raise SystemExit(f"produce failed: {failed[0]}")
    return count / (time.monotonic() - start)


def memory_mb(pid, name):
    """A process's memory: VmRSS now, VmHWM at its peak (getrusage would count its parent's as well)."""
    with open(f"/proc/{pid}/status") as status:
        return next(int(line.split()[1]) / 1024 for line in status if line.startswith(name))


def cpu_s(pid):
    """How many seconds of CPU a process has used."""
    with open(f"/proc/{pid}/stat") as stat:
        fields = stat.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def percentile(values, p):
    """Of a list that is not empty, by the nearest rank."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(len(ordered) * p / 100))]


class Lab:
    """A PostgreSQL cluster and a broker of their own, ended with the block.

    With the address of a real Kafka a topic of its own there instead of the broker.
    """

    def __init__(self, partitions, topic="heartbeat", kafka=None):
        self.partitions, self.kafka = partitions, kafka
        self.topic = f"{topic}-{os.getpid()}-{time.time_ns()}" if kafka else topic

    def __enter__(self):
        self.folder = tempfile.mkdtemp(prefix="heartbeat-bench-")
        user = "postgres" if os.geteuid() == 0 else pwd.getpwuid(os.geteuid()).pw_name
        self.drop = ["runuser", "-u", user, "--"] if os.geteuid() == 0 else []
        os.chmod(self.folder, 0o755)
        socket = os.path.join(self.folder, "pg")
        os.mkdir(socket)
        shutil.chown(socket, user)
        self.bin = sorted(glob.glob("/usr/lib/postgresql/*/bin"))[-1]
        self.data = os.path.join(socket, "data")
        self.socket = socket
        subprocess.run([*self.drop, f"{self.bin}/initdb", "-D", self.data, "-U", "postgres", "--auth=trust",
                        "-E", "UTF8"], check=True, stdout=subprocess.DEVNULL, cwd="/")
        self.postgres("start")
        if self.kafka:
            self.bootstrap = self.kafka
            self.admin = AdminClient({"bootstrap.servers": self.bootstrap})
            self.admin.create_topics([NewTopic(self.topic, self.partitions, 1)])[self.topic].result(30)
        else:
            self.broker = subprocess.Popen([HEARTBEAT, "broker", "--topic", self.topic, "--partitions",
                                            str(self.partitions)], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                           text=True)
            self.bootstrap = self.broker.stdout.readline().strip()
        self.reset()
        return self

    def __exit__(self, *_):
        if self.kafka:
            self.admin.delete_topics([self.topic])[self.topic].result(30)
        else:
            self.broker.send_signal(signal.SIGTERM)
            self.broker.wait()
        self.postgres("stop", "-m", "immediate")
        shutil.rmtree(self.folder, ignore_errors=True)

    def postgres(self, *command):
        """Starts or stops the server, as pg_ctl says it."""
        options = f"-c listen_addresses='' -c unix_socket_directories={self.socket}"
        subprocess.run([*self.drop, f"{self.bin}/pg_ctl", "-D", self.data, "-w", "-l", os.path.join(self.socket, "log"),
                        "-o", options, *command], check=True, stdout=subprocess.DEVNULL, cwd="/")

    def dsn(self, user):
        return f"host={self.socket} dbname=heartbeat_db user={user}"

    def environment(self, more):
        # The embedded broker answers an empty fetch only after the whole wait.
        embedded = {} if self.kafka else {"RDKAFKA_FETCH_WAIT_MAX_MS": "10", "RDKAFKA_SESSION_TIMEOUT_MS": "6000"}
        return {**os.environ, "KAFKA_BOOTSTRAP_SERVERS": self.bootstrap, "KAFKA_TOPIC": self.topic,
                "POSTGRES_HOST": self.socket, "POSTGRES_USER": "heartbeat-consumer",
                "KAFKA_PARTITIONS": str(self.partitions), **embedded, **more}

    def fill(self, template, group):
        for name, value in {"bootstrap": self.bootstrap, "topic": self.topic, "group": group,
                            "dsn": self.dsn("postgres")}.items():
            template = template.replace("{" + name + "}", value)
        return template

    def reset(self):
        """An empty database with the schema, and a checkpoint behind it."""
        with psycopg.connect(f"host={self.socket} dbname=postgres user=postgres", autocommit=True) as connection:
            connection.execute("DROP DATABASE IF EXISTS heartbeat_db WITH (FORCE)")
        subprocess.run([HEARTBEAT, "database", "setup"], check=True, stderr=subprocess.DEVNULL,
                       env=self.environment({"POSTGRES_USER": "postgres"}))
        with psycopg.connect(f"host={self.socket} dbname=postgres user=postgres", autocommit=True) as connection:
            connection.execute("CHECKPOINT")


@contextlib.contextmanager
def indexed_later(connection):
    """Rows that the block stores get their indexes at its end, which is quicker; by what the schema says of them."""
    indexes = connection.execute("""
        SELECT i.indexrelid::regclass::text, replace(pg_get_indexdef(i.indexrelid), ' ON ONLY ', ' ON ')
          FROM pg_index AS i
         WHERE i.indrelid = 'heart_rate_readings'::regclass AND NOT i.indisprimary""").fetchall()
    for name, _ in indexes:
        connection.execute(f"DROP INDEX {name}")
    yield
    for _, definition in indexes:
        connection.execute(definition)


@contextlib.contextmanager
def daemon(lab, arguments, environment, ready):
    """A daemon of heartbeat until the block's end; yields the process and what the log said of its readiness."""
    path = os.path.join(lab.folder, f"{arguments[0]}.log")
    with open(path, "w", encoding="utf-8") as log:
        process = subprocess.Popen([HEARTBEAT, *arguments, "--config", "/dev/null"], stderr=log,
                                   env=lab.environment({"METRICS_DIRECTORY": lab.folder, **environment}))
    try:
        while not (found := re.search(ready, open(path, encoding="utf-8").read())):
            if process.poll() is not None:
                raise SystemExit(open(path, encoding="utf-8").read())
            time.sleep(0.05)
        yield process, found
    finally:
        process.terminate()
        process.wait(60)


class Probe(threading.Thread):
    """Sends a message each 50 ms and notes when another session sees its row."""

    def __init__(self, lab):
        super().__init__(daemon=True)
        self.lab, self.ended, self.sent, self.seen = lab, threading.Event(), {}, {}
        with psycopg.connect(lab.dsn("postgres"), autocommit=True) as connection:
            connection.execute("""
                CREATE FUNCTION announce() RETURNS trigger LANGUAGE plpgsql AS $$
                    BEGIN PERFORM pg_notify('stored', NEW.recorded_at::text); RETURN NULL; END $$;
                CREATE TRIGGER announce AFTER INSERT OR UPDATE ON customer_state
                    FOR EACH ROW WHEN (NEW.customer_id = 'probe') EXECUTE FUNCTION announce()""")

    def run(self):
        producer = Producer({"bootstrap.servers": self.lab.bootstrap, "linger.ms": 0, "acks": "all"})
        with psycopg.connect(self.lab.dsn("postgres"), autocommit=True) as connection:
            connection.execute("SET TimeZone = 'UTC'; LISTEN stored")
            due = time.time()
            while not self.ended.is_set():
                if time.time() >= due:
                    now = time.time()
                    when = dt.datetime.fromtimestamp(now, UTC)
                    self.sent[when] = now
                    message = payload("probe", when.isoformat(timespec="microseconds"), 70)
                    producer.produce(self.lab.topic, message, b"probe")
                    producer.poll(0)
                    due = max(due + 0.05, now)
                if select.select([connection], [], [], 0.005)[0]:
                    connection.pgconn.consume_input()
                while (notification := connection.pgconn.notifies()) is not None:
                    newest = dt.datetime.fromisoformat(notification.extra.decode())
                    self.seen[newest] = time.time()

    def latencies(self, since, until):
        """Of the messages that were sent in that time. A row stands also for the earlier ones in its transaction."""
        # Copies: the thread goes on.
        rows = sorted(self.seen.copy().items())
        times, found = [newest for newest, _ in rows], []
        for when, sent in self.sent.copy().items():
            if since <= sent < until:
                place = bisect.bisect_left(times, when)
                found.append(1000 * ((rows[place][1] if place < len(rows) else time.time()) - sent))
        return found


def told(name, milliseconds):
    print(f"  {name:28} " + ", ".join(f"p{p} {percentile(milliseconds, p):.1f} ms" for p in (50, 99, 99.9))
          + f", most {max(milliseconds):.0f} ms of {len(milliseconds)} messages", flush=True)
