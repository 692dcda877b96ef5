"""What the brokers answer to each request. An answer is a dictionary of the names that kio gives to the fields."""
import asyncio

from kio.schema.errors import ErrorCode as Error

from group import SYNCING
from log import split
from protocol import KEYS, SAID_FROM_0, VERSIONS

BEFORE_LOGIN = {"api_versions", "sasl_handshake", "sasl_authenticate"}
LATEST, EARLIEST = -1, -2


class Answers:
    """A method for each request: it takes the broker, the session and the request."""

    def __init__(self, cluster):
        self.cluster = cluster

    async def __call__(self, broker, session, request):
        if not session.is_trusted and request.name not in BEFORE_LOGIN:
            raise ConnectionError("not logged in")
        answer = getattr(self, request.name)(broker, session, request)
        return await answer if asyncio.iscoroutine(answer) else answer

    def _topics(self, topics, answer, names=("name", "partitions"), reply_names=("name", "partitions")):
        """An answer for each partition of a request, in the order of the request."""
        (topic_name, partitions), (reply_name, replies) = names, reply_names
        return [{reply_name: getattr(topic, topic_name),
                 replies: [answer(getattr(topic, topic_name), partition) for partition in getattr(topic, partitions)]}
                for topic in topics]

    def _led(self, broker, right, name, number, epoch=-1):
        """A partition, and the error if this broker does not serve it."""
        if right in self.cluster.denied:
            return None, Error.topic_authorization_failed
        partition = self.cluster.find(name, number)
        if partition is None:
            return None, Error.unknown_topic_or_partition
        if partition.leader != broker.number:
            return None, Error.not_leader_or_follower
        if epoch >= 0 and epoch != partition.log.epoch:
            return None, Error.fenced_leader_epoch if epoch < partition.log.epoch else Error.unknown_leader_epoch
        return partition, Error.none

    # Connections and the cluster.

    def api_versions(self, broker, session, request):
        keys = [{"api_key": KEYS[name], "min_version": 0 if name in SAID_FROM_0 else first, "max_version": last}
                for name, (first, last) in VERSIONS.items()]
        return {"error_code": Error.unsupported_version if request.version < 0 else Error.none, "api_keys": keys}

    def sasl_handshake(self, broker, session, request):
        is_known = request.body.mechanism == "PLAIN" and self.cluster.users
        return {"error_code": Error.none if is_known else Error.unsupported_sasl_mechanism, "mechanisms": ["PLAIN"]}

    def sasl_authenticate(self, broker, session, request):
        _, user, password = request.body.auth_bytes.decode().split("\0")
        session.is_trusted = self.cluster.users.get(user) == password
        if session.is_trusted:
            return {}
        session.is_over = True
        return {"error_code": Error.sasl_authentication_failed,
                "error_message": "Authentication failed: Invalid username or password"}

    def metadata(self, broker, session, request):
        cluster, asked = self.cluster, request.body.topics
        names = [topic.name for topic in asked or ()]
        if asked is None or (request.version == 0 and not asked):
            names = [] if "topic describe" in cluster.denied else list(cluster.topics)
        return {
            "brokers": [{"node_id": other.number, "host": "127.0.0.1", "port": other.port, "rack": None}
                        for other in cluster.up],
            "cluster_id": cluster.id, "controller_id": min(other.number for other in cluster.up),
            "topics": [self._described(name) for name in names],
        }

    def _described(self, name):
        if "topic describe" in self.cluster.denied:
            return {"error_code": Error.topic_authorization_failed, "name": name}
        if name in self.cluster.hidden and any(group.state == SYNCING for group in self.cluster.groups.values()):
            if self.cluster.hidden.pop(name):
                self.cluster.delete(name)
            return {"error_code": Error.unknown_topic_or_partition, "name": name}
        topic = self.cluster.topics.get(name)
        if topic is None:
            return {"error_code": Error.unknown_topic_or_partition, "name": name}
        up = {broker.number for broker in self.cluster.up}
        return {"name": name, "topic_id": topic.id, "partitions": [
            {"partition_index": number, "leader_epoch": partition.log.epoch,
             "error_code": Error.none if partition.leader in up else Error.leader_not_available,
             "leader_id": partition.leader if partition.leader in up else -1,
             "replica_nodes": [partition.leader], "isr_nodes": [partition.leader]}
            for number, partition in enumerate(topic.partitions)]}

    def create_topics(self, broker, session, request):
        def create(topic):
            count = 1 if topic.num_partitions < 0 else topic.num_partitions
            if "topic create" in self.cluster.denied:
                return Error.topic_authorization_failed
            if topic.replication_factor > len(self.cluster.up):
                return Error.invalid_replication_factor
            if request.body.validate_only:
                return Error.topic_already_exists if topic.name in self.cluster.topics else Error.none
            return self.cluster.create(topic.name, count, {entry.name: entry.value for entry in topic.configs})
        return {"topics": [_named(topic.name, create(topic)) for topic in request.body.topics]}

    def delete_topics(self, broker, session, request):
        return {"responses": [_named(name, self.cluster.delete(name)) for name in request.body.topic_names]}

    def create_partitions(self, broker, session, request):
        def grow(topic):
            known = self.cluster.topics.get(topic.name)
            if known is None:
                return Error.unknown_topic_or_partition
            if topic.count <= len(known.partitions):
                return Error.invalid_partitions
            known.grow(topic.count, [other.number for other in self.cluster.up])
            return Error.none
        return {"results": [_named(topic.name, grow(topic)) for topic in request.body.topics]}

    def describe_configs(self, broker, session, request):
        def describe(resource):
            topic = self.cluster.topics.get(resource.resource_name) if resource.resource_type == 2 else None
            wanted = resource.configuration_keys
            error = Error.unknown_topic_or_partition if resource.resource_type == 2 and topic is None else Error.none
            if "topic describe" in self.cluster.denied:
                topic, error = None, Error.topic_authorization_failed
            settings = topic.settings if topic else {}
            return {"error_code": error, "resource_type": resource.resource_type,
                    "resource_name": resource.resource_name,
                    "configs": [{"name": name, "value": value} for name, value in settings.items()
                                if wanted is None or name in wanted]}
        return {"results": [describe(resource) for resource in request.body.resources]}

    # Messages.

    def init_producer_id(self, broker, session, request):
        if "cluster idempotent write" in self.cluster.denied:
            return {"error_code": Error.cluster_authorization_failed, "producer_id": -1, "producer_epoch": -1}
        given = getattr(request.body, "producer_id", -1)
        if given >= 0:
            return {"producer_id": given, "producer_epoch": request.body.producer_epoch + 1}
        return {"producer_id": self.cluster.next_producer(), "producer_epoch": 0}

    def produce(self, broker, session, request):
        def append(name, asked):
            partition, error = self._led(broker, "topic write", name, asked.index)
            first = -1
            for batch in split(asked.records or b"") if partition else ():
                first, error = self._append(self.cluster.topics[name], partition.log, batch)
            low = partition.log.low if partition else -1
            return {"index": asked.index, "error_code": error, "base_offset": first, "log_start_offset": low}
        responses = self._topics(
            request.body.topic_data, append, ("name", "partition_data"), ("name", "partition_responses"))
        return {"responses": responses} if request.body.acks else None

    def _append(self, topic, log, batch):
        if len(batch.data) > int(topic.settings["max.message.bytes"]):
            return -1, Error.message_too_large
        if not batch.is_valid():
            return -1, Error.corrupt_message
        if batch.producer >= 0:
            is_out_of_order, same = log.known(batch)
            if is_out_of_order:
                return -1, Error.out_of_order_sequence_number
            if same:
                return same.base, Error.none
        return log.append(batch).base, Error.none

    async def fetch(self, broker, session, request):
        """Answers as soon as there is enough, or after the longest wait with what there is."""
        clock = asyncio.get_running_loop().time
        deadline = clock() + request.body.max_wait.total_seconds()
        while True:
            waiter = asyncio.Event()
            logs = [partition.log for topic in request.body.topics for asked in topic.partitions
                    if (partition := self.cluster.find(topic.topic, asked.partition))]
            for log in logs:
                log.waiters.add(waiter)
            try:
                responses, size, is_urgent = self._read(broker, request.body)
                if is_urgent or size >= request.body.min_bytes or clock() >= deadline:
                    return {"responses": responses}
                await asyncio.wait_for(waiter.wait(), deadline - clock())
            except TimeoutError:
                pass
            finally:
                for log in logs:
                    log.waiters.discard(waiter)

    def _read(self, broker, body):
        """What the partitions of a fetch have now, how many bytes that is, and whether one of them is an error."""
        size, has_error = 0, False

        def read(name, asked):
            nonlocal size, has_error
            partition, error = self._led(
                broker, "topic read", name, asked.partition, getattr(asked, "current_leader_epoch", -1))
            if partition and not partition.log.low <= asked.fetch_offset <= partition.log.high:
                error = Error.offset_out_of_range
            if error:
                has_error = True
                known = partition.log if partition else None
                return {"partition_index": asked.partition, "error_code": error,
                        "high_watermark": known.high if known else -1, "log_start_offset": known.low if known else -1,
                        "aborted_transactions": None, "records": b""}
            log, is_committed = partition.log, body.isolation_level == 1
            room = min(asked.partition_max_bytes, getattr(body, "max_bytes", 1 << 31) - size)
            records, aborted = log.read(asked.fetch_offset, room, log.stable if is_committed else log.high, size == 0)
            size += len(records)
            return {"partition_index": asked.partition, "high_watermark": log.high, "last_stable_offset": log.stable,
                    "log_start_offset": log.low, "records": records,
                    "aborted_transactions": [{"producer_id": producer, "first_offset": first}
                                             for producer, first, _ in aborted] if is_committed else None}
        responses = self._topics(body.topics, read, ("topic", "partitions"), ("topic", "partitions"))
        return responses, size, has_error

    def list_offsets(self, broker, session, request):
        def find(name, asked):
            partition, error = self._led(broker, "topic describe", name, asked.partition_index,
                                         getattr(asked, "current_leader_epoch", -1))
            offset, timestamp = -1, -1
            if partition:
                log = partition.log
                is_committed = getattr(request.body, "isolation_level", 0) == 1
                if asked.timestamp == LATEST:
                    offset = log.stable if is_committed else log.high
                elif asked.timestamp == EARLIEST:
                    offset = log.low
                else:
                    offset, timestamp = log.at_time(asked.timestamp)
            return {"partition_index": asked.partition_index, "error_code": error, "offset": offset,
                    "timestamp": timestamp, "leader_epoch": partition.log.epoch if partition else -1}
        return {"topics": self._topics(request.body.topics, find)}

    def offset_for_leader_epoch(self, broker, session, request):
        def find(name, asked):
            partition, error = self._led(broker, "topic describe", name, asked.partition, asked.current_leader_epoch)
            epoch, end = partition.log.end_of_epoch(asked.leader_epoch) if partition else (-1, -1)
            return {"partition": asked.partition, "error_code": error, "leader_epoch": epoch, "end_offset": end}
        return {"topics": self._topics(request.body.topics, find, ("topic", "partitions"), ("topic", "partitions"))}

    # Groups.

    def find_coordinator(self, broker, session, request):
        coordinator = self.cluster.brokers[self.cluster.coordinator]
        if "group read" in self.cluster.denied:
            return {"error_code": Error.group_authorization_failed, "node_id": -1, "port": -1}
        if request.version > 0 and request.body.key_type != 0 or not coordinator.is_up:
            return {"error_code": Error.coordinator_not_available, "node_id": -1, "port": -1}
        return {"node_id": coordinator.number, "host": "127.0.0.1", "port": coordinator.port}

    def _group_error(self, broker):
        if "group read" in self.cluster.denied:
            return Error.group_authorization_failed
        return Error.none if broker.number == self.cluster.coordinator else Error.not_coordinator

    async def join_group(self, broker, session, request):
        error = self._group_error(broker)
        if error:
            return {"error_code": error, "member_id": request.body.member_id}
        return await self.cluster.group(request.body.group_id).join(request.body, request.version)

    async def sync_group(self, broker, session, request):
        error = self._group_error(broker)
        return {"error_code": error} if error else await self.cluster.group(request.body.group_id).sync(request.body)

    def heartbeat(self, broker, session, request):
        error = self._group_error(broker)
        return {"error_code": error} if error else self.cluster.group(request.body.group_id).heartbeat(request.body)

    def leave_group(self, broker, session, request):
        error = self._group_error(broker)
        group = self.cluster.group(request.body.group_id)
        if request.version < 3:
            return {"error_code": error or group.leave(request.body.member_id)}
        return {"error_code": error, "members": [] if error else [
            {"member_id": member.member_id, "group_instance_id": member.group_instance_id,
             "error_code": group.leave(member.member_id)} for member in request.body.members]}

    def list_groups(self, broker, session, request):
        listed = self.cluster.groups if broker.number == self.cluster.coordinator else ()
        return {"error_code": Error.none, "groups": [
            {"group_id": name, "protocol_type": "consumer"} for name in listed if not self._group_error(broker)]}

    def describe_groups(self, broker, session, request):
        error = self._group_error(broker)
        return {"groups": [
            {"error_code": error, "group_id": name, **({} if error else self.cluster.group(name).described())}
            for name in request.body.groups]}

    def delete_groups(self, broker, session, request):
        error = self._group_error(broker)

        def delete(name):
            if error:
                return error
            if self.cluster.groups.get(name) is None:
                return Error.group_id_not_found
            if self.cluster.groups[name].members:
                return Error.non_empty_group
            del self.cluster.groups[name]
            return Error.none
        return {"results": [{"group_id": name, "error_code": delete(name)} for name in request.body.groups_names]}

    def offset_commit(self, broker, session, request):
        error = self._group_error(broker)
        group = self.cluster.group(request.body.group_id)

        def commit(name, asked):
            if error:
                found = error
            elif "topic read" in self.cluster.denied:
                found = Error.topic_authorization_failed
            elif self.cluster.find(name, asked.partition_index) is None:
                found = Error.unknown_topic_or_partition
            else:
                found = group.commit(request.body, name, asked)
            return {"partition_index": asked.partition_index, "error_code": found}
        return {"topics": self._topics(request.body.topics, commit)}

    def offset_fetch(self, broker, session, request):
        error = self._group_error(broker)
        offsets = self.cluster.group(request.body.group_id).offsets
        asked = request.body.topics
        if asked is None:
            wanted = {name: [number for other, number in offsets if other == name] for name, _ in offsets}
        else:
            wanted = {topic.name: topic.partition_indexes for topic in asked}

        def known(name, number):
            offset, epoch, metadata = offsets.get((name, number), (-1, -1, ""))
            return {"partition_index": number, "committed_offset": offset, "committed_leader_epoch": epoch,
                    "metadata": metadata, "error_code": error}
        return {"error_code": error, "topics": [
            {"name": name, "partitions": [known(name, number) for number in numbers]}
            for name, numbers in wanted.items()]}


def _named(name, error):
    words = {Error.topic_authorization_failed: "Authorization failed."}
    return {"name": name, "error_code": error, "error_message": words.get(error, error.name) if error else None}
