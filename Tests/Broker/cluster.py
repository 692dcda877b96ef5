"""The cluster's state: topics with their logs, brokers with their connections, groups, and the faults asked for."""
import asyncio
import socket
import struct
import sys
import traceback
import uuid

from kio.schema.errors import ErrorCode as Error

from group import Group
from log import Log
from protocol import read_request, write_reply

DEFAULTS = {"max.message.bytes": "1048588", "retention.ms": "604800000", "cleanup.policy": "delete",
            "min.insync.replicas": "1", "message.timestamp.type": "CreateTime"}


class Partition:
    def __init__(self, leader):
        self.leader = leader
        self.log = Log()


class Topic:
    def __init__(self, count, brokers, settings=None):
        self.id = uuid.uuid4()
        self.settings = DEFAULTS | (settings or {})
        self.partitions = []
        self.grow(count, brokers)

    def grow(self, count, brokers):
        """Adds partitions; their leaders are spread over the brokers."""
        while len(self.partitions) < count:
            self.partitions.append(Partition(brokers[len(self.partitions) % len(brokers)]))


class Broker:
    """One broker: a port, its connections, and whether it answers."""

    def __init__(self, cluster, number):
        self.cluster, self.number = cluster, number
        self.port, self.server = 0, None
        self.connections = {}  # each connection's task, with where it writes to
        self.answers = asyncio.Event()
        self.answers.set()
        self.muted = set()  # names of requests that it does not answer
        self.unreachable = []  # the sockets that keep others from connecting
        self.reserved = None  # keeps the port while nobody listens there

    @property
    def is_up(self):
        return self.server is not None or bool(self.unreachable)

    async def start(self):
        for taken in self.unreachable:
            taken.close()
        self.unreachable = []
        if self.reserved is not None:
            self.reserved.close()
            self.reserved = None
        if self.server is None:
            self.server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
            self.port = self.server.sockets[0].getsockname()[1]

    async def stop(self):
        """Closes all connections, and refuses new ones."""
        if self.server is not None:
            self.server.close()
            self.server = None
            self.reserved = self._bound()
        self.disconnect()

    def _bound(self):
        taken = socket.socket()
        taken.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        taken.bind(("127.0.0.1", self.port))
        return taken

    def drop(self):
        """As if every packet to it were dropped: nothing is answered, and no connection is made or refused.

        The kernel drops what would connect to a socket whose queue is full.
        """
        self.answers.clear()
        self.server.close()
        self.server = None
        listening = self._bound()
        listening.listen(0)
        self.unreachable = [listening]
        for _ in range(2):
            waiting = socket.socket()
            waiting.setblocking(False)
            waiting.connect_ex(listening.getsockname())
            self.unreachable.append(waiting)

    def disconnect(self):
        for task, writer in list(self.connections.items()):
            # First of all: an answer that is under way must not get through.
            writer.transport.abort()
            task.cancel()

    async def _serve(self, reader, writer):
        task = asyncio.current_task()
        self.connections[task] = writer
        try:
            await self._answer(reader, writer, Session(not self.cluster.users))
        except (asyncio.IncompleteReadError, ConnectionError, asyncio.CancelledError):
            pass
        except Exception:  # An answer that it does not have: the tests have to see it.
            self.cluster.complain(f"broker {self.number}: {traceback.format_exc()}")
        finally:
            del self.connections[task]
            writer.close()

    async def _answer(self, reader, writer, session):
        while not session.is_over:
            size = struct.unpack(">i", await reader.readexactly(4))[0]
            request = read_request(await reader.readexactly(size))
            await self.answers.wait()
            if not self.is_up:  # It went down just when somebody had connected.
                raise ConnectionError("down")
            if request.name in self.muted:
                continue
            reply = await self.cluster.handle(self, session, request)
            # It may have become silent while the request waited.
            await self.answers.wait()
            if reply is not None and request.name not in self.muted:
                writer.write(write_reply(request, reply))
                await writer.drain()


class Session:
    """What a broker knows of one connection."""

    def __init__(self, is_trusted):
        self.is_trusted = is_trusted
        self.is_over = False


class Cluster:
    def __init__(self, count, users):
        self.id = str(uuid.uuid4())
        self.users = users  # SASL PLAIN; without any, nobody has to log in
        self.brokers = {number: Broker(self, number) for number in range(1, count + 1)}
        self.coordinator = 1
        self.topics, self.groups = {}, {}
        self.denied = set()
        self.hidden = {}  # topics that the next leader of a group is told are unknown, and whether they then are
        self.last_producer = 1000
        self.complaints = []
        self.handle = None  # answers requests; set by who has them

    def complain(self, words):
        """Something that no client should have brought about: shown to the tests."""
        self.complaints.append(words)
        print(words, file=sys.stderr, flush=True)

    @property
    def up(self):
        return [broker for broker in self.brokers.values() if broker.is_up]

    def group(self, name):
        return self.groups.setdefault(name, Group())

    def next_producer(self):
        self.last_producer += 1
        return self.last_producer

    def create(self, name, partitions, settings=None):
        if name in self.topics:
            return Error.topic_already_exists
        if partitions < 1:
            return Error.invalid_partitions
        self.topics[name] = Topic(partitions, [broker.number for broker in self.up], settings)
        return Error.none

    def delete(self, name):
        topic = self.topics.pop(name, None)
        if topic is None:
            return Error.unknown_topic_or_partition
        for partition in topic.partitions:
            partition.log.wake()
        for group in self.groups.values():
            group.offsets = {key: offset for key, offset in group.offsets.items() if key[0] != name}
        return Error.none

    def find(self, name, number):
        """A partition, or nothing."""
        topic = self.topics.get(name)
        return topic.partitions[number] if topic and 0 <= number < len(topic.partitions) else None

    def lead(self, partition, broker):
        """Makes a broker the leader of a partition: a new leader epoch begins."""
        partition.leader = broker
        partition.log.epoch += 1
        partition.log.wake()

    async def tick(self):
        while True:
            for group in self.groups.values():
                group.tick()
            await asyncio.sleep(0.05)
