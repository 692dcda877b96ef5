"""The commands: lines of JSON, `{"id": 1, "commands": [{"do": "grow", ...}, ...]}`, each answered by a line."""
import base64
import json

from kio.schema.errors import ErrorCode as Error

from log import ABORT, COMMIT, TRANSACTIONAL, make_batch, make_marker

RIGHTS = {"topic read", "topic write", "topic describe", "topic create", "group read", "cluster idempotent write"}


class Commands:
    """A method for each command; what it returns goes into the answer."""

    def __init__(self, cluster):
        self.cluster = cluster

    async def answer(self, line):
        """Carries out the commands of a line; no client sees anything between two of them. Answers to the last one."""
        line = json.loads(line)
        done = {}
        try:
            for command in line["commands"]:
                done = getattr(self, command.pop("do"))(**command)
                if hasattr(done, "__await__"):
                    done = await done
            return json.dumps({"id": line["id"], **(done or {})})
        except Exception as error:  # Whatever it is, the test that asked has to hear of it.
            return json.dumps({"id": line["id"], "error": f"{type(error).__name__}: {error}"})

    def _log(self, topic, partition):
        return self.cluster.topics[topic].partitions[partition].log

    # Topics.

    def create(self, topic, partitions, settings=None):
        _check(self.cluster.create(topic, partitions, settings))

    def delete(self, topic):
        _check(self.cluster.delete(topic))

    def grow(self, topic, partitions):
        self.cluster.topics[topic].grow(partitions, [broker.number for broker in self.cluster.up])

    def hide(self, topic, delete):
        """Has the next leader of a group hear that the topic is unknown; or deletes it at that moment."""
        self.cluster.hidden[topic] = delete

    def set(self, topic, name, value):
        self.cluster.topics[topic].settings[name] = value

    # Logs.

    def begin(self, topic, partition, offset):
        """Has an empty log begin at an offset."""
        log = self._log(topic, partition)
        log.low = log.high = offset

    def truncate(self, topic, partition, offset):
        """A power cut: the leader loses the end of a log, and comes back."""
        found = self.cluster.topics[topic].partitions[partition]
        found.log.truncate(offset)
        self._restart(found.leader)
        return {"high": found.log.high}

    def delete_records(self, topic, partition, offset):
        self._log(topic, partition).delete_before(offset)
        return {"low": self._log(topic, partition).low}

    def write(self, topic, partition, messages, end=None):
        """Writes messages as one batch; `end` makes it a transaction: commit, abort, or open, which `finish` ends."""
        log = self._log(topic, partition)
        texts = [(timestamp, _decoded(key), _decoded(value)) for timestamp, key, value in messages]
        if end is None:
            batch = log.append(make_batch(texts))
            return {"first": batch.base, "last": batch.last}
        producer = self.cluster.next_producer()
        batch = log.append(make_batch(texts, TRANSACTIONAL, producer, 0, 0))
        if end != "open":
            self.finish(topic, partition, producer, end)
        return {"first": batch.base, "last": batch.last, "producer": producer}

    def finish(self, topic, partition, producer, end):
        kind = {"commit": COMMIT, "abort": ABORT}[end]
        self._log(topic, partition).append(make_marker(kind, producer, 0))

    def compact(self, topic, partition, offsets):
        self._log(topic, partition).compact(set(offsets))

    # Brokers.

    async def broker(self, number, state, move=False):
        """Takes a broker down, silences it, drops all that is sent to it, or has it back.

        With `move` others lead its partitions, and the groups.
        """
        broker = self.cluster.brokers[number]
        if state == "down":
            await broker.stop()
        elif state == "silent":
            broker.answers.clear()
        elif state == "unreachable":
            broker.drop()
        elif state == "up":
            was_down = not broker.is_up
            await broker.start()
            broker.answers.set()
            if was_down:
                self._restart(number)
        else:
            raise ValueError(state)
        if move:
            others = [other for other in self.cluster.up if other.number != number and other.answers.is_set()]
            for position, partition in enumerate(self._led(number)):
                self.cluster.lead(partition, others[position % len(others)].number)
            if self.cluster.coordinator == number:
                self.cluster.coordinator = others[0].number

    def move(self, topic, partition, leader):
        self.cluster.lead(self.cluster.topics[topic].partitions[partition], leader)

    def coordinator(self, number):
        self.cluster.coordinator = number

    def mute(self, number, requests):
        """The kinds of requests that a broker does not answer, by kio's names."""
        self.cluster.brokers[number].muted = set(requests)

    def _led(self, number):
        return [partition for topic in self.cluster.topics.values() for partition in topic.partitions
                if partition.leader == number]

    def _restart(self, number):
        for partition in self._led(number):
            self.cluster.lead(partition, number)
        self.cluster.brokers[number].disconnect()

    # Rights.

    def deny(self, right):
        if right not in RIGHTS:
            raise ValueError(right)
        self.cluster.denied.add(right)

    def allow(self, right):
        self.cluster.denied.remove(right)

    def password(self, user, password):
        self.cluster.users[user] = password

    # What there is.

    def dump(self, path):
        """Writes all that a read_committed reader gets, and the groups' offsets, to a file."""
        partitions = [
            {"topic": name, "partition": number, "low": partition.log.low, "high": partition.log.high,
             "stable": partition.log.stable, "leader": partition.leader, "epoch": partition.log.epoch,
             "messages": [[offset, timestamp, _encoded(key), _encoded(value)]
                          for offset, timestamp, key, value in partition.log.committed()]}
            for name, topic in self.cluster.topics.items() for number, partition in enumerate(topic.partitions)]
        groups = [{"group": name, "topic": topic, "partition": partition, "offset": offset,
                   "generation": group.generation}
                  for name, group in self.cluster.groups.items()
                  for (topic, partition), (offset, *_) in group.offsets.items()]
        with open(path, "w") as file:
            json.dump({"partitions": partitions, "groups": groups, "complaints": self.cluster.complaints}, file)


def _check(error):
    if error != Error.none:
        raise ValueError(error.name)


def _decoded(text):
    return None if text is None else base64.b64decode(text)


def _encoded(data):
    return None if data is None else base64.b64encode(data).decode()
