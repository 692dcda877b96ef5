"""Consumer groups: who is a member, how a rebalance goes, and the committed offsets."""
import asyncio
import time
import uuid

from kio.schema.errors import ErrorCode as Error

EMPTY, JOINING, SYNCING, STABLE = range(4)


class Member:
    def __init__(self, name, request):
        self.name = name
        self.joining = self.syncing = None  # what its request waits for
        self.assignment = b""
        self.update(request)

    def update(self, request):
        self.kind = request.protocol_type
        self.protocols = {protocol.name: protocol.metadata for protocol in request.protocols}
        self.session = request.session_timeout.total_seconds()
        rebalance = getattr(request, "rebalance_timeout", request.session_timeout).total_seconds()
        self.rebalance = max(rebalance, self.session)
        self.is_alive()

    def is_alive(self):
        self.deadline = time.monotonic() + self.session


class Group:
    def __init__(self):
        self.state, self.generation, self.leader, self.protocol = EMPTY, 0, "", ""
        self.members = {}
        self.promised = set()  # names that were given out to members that have yet to join with them
        self.offsets = {}      # (topic, partition): (offset, leader epoch, metadata)
        self.end_of_join = 0.0

    # Requests. Each returns a reply.

    async def join(self, request, version):
        name = request.member_id
        if not name:
            name = f"member-{uuid.uuid4()}"
            if version >= 4:
                self.promised.add(name)
                return {"error_code": Error.member_id_required, "member_id": name}
        elif name not in self.members and name not in self.promised:
            return {"error_code": Error.unknown_member_id, "member_id": name}
        member = self.members.get(name)
        if member is None:
            if not self._supports(request):
                return {"error_code": Error.inconsistent_group_protocol, "member_id": name}
            self.promised.discard(name)
            member = self.members[name] = Member(name, request)
            self._start_join()
        else:
            before = member.protocols
            member.update(request)
            if self.state == STABLE and member.protocols == before and name != self.leader:
                return self._joined(member)
            if self.state in (STABLE, SYNCING):
                self._start_join()
        waiting = member.joining = asyncio.get_running_loop().create_future()
        self._finish_join_if_complete()
        return await waiting

    async def sync(self, request):
        error = self._check(request)
        if error or self.state == JOINING:
            return {"error_code": error or Error.rebalance_in_progress}
        member = self.members[request.member_id]
        if self.state == STABLE:
            return {"assignment": member.assignment, **self._protocol()}
        waiting = member.syncing = asyncio.get_running_loop().create_future()
        if member.name == self.leader:
            given = {entry.member_id: entry.assignment for entry in request.assignments}
            self.state = STABLE
            for other in self.members.values():
                other.assignment = given.get(other.name, b"")
                other.is_alive()
                _answer(other.syncing, {"assignment": other.assignment, **self._protocol()})
                other.syncing = None
        return await waiting

    def heartbeat(self, request):
        error = self._check(request)
        if not error:
            self.members[request.member_id].is_alive()
            if self.state == JOINING:
                error = Error.rebalance_in_progress
        return {"error_code": error}

    def leave(self, name):
        if name not in self.members:
            return Error.unknown_member_id
        self._remove(name)
        return Error.none

    def commit(self, request, topic, partition):
        generation = getattr(request, "generation_id_or_member_epoch", -1)
        error = Error.none
        if generation >= 0 or self.members:
            error = self._check(request, generation)
            if not error and self.state == SYNCING:
                error = Error.rebalance_in_progress
        if not error:
            epoch = getattr(partition, "committed_leader_epoch", -1)
            self.offsets[topic, partition.partition_index] = (
                partition.committed_offset, epoch, partition.committed_metadata)
        return error

    def described(self):
        return {"group_state": ("Empty", "PreparingRebalance", "CompletingRebalance", "Stable")[self.state],
                "protocol_type": "consumer", "protocol_data": self.protocol,
                "members": [{"member_id": member.name, "member_assignment": member.assignment}
                            for member in self.members.values()]}

    # The state machine.

    def tick(self):
        """Removes members that have been silent, and ends a join for which members are missing."""
        now = time.monotonic()
        for member in list(self.members.values()):
            if member.deadline < now and member.joining is None and member.syncing is None:
                self._remove(member.name)
        if self.state == JOINING and now > self.end_of_join:
            for member in list(self.members.values()):
                if member.joining is None:
                    del self.members[member.name]
            self._finish_join_if_complete()

    def _supports(self, request):
        common = self._common()
        return common is None or any(protocol.name in common for protocol in request.protocols)

    def _common(self):
        sets = [set(member.protocols) for member in self.members.values()]
        return set.intersection(*sets) if sets else None

    def _check(self, request, generation=None):
        if request.member_id not in self.members:
            return Error.unknown_member_id
        if (request.generation_id if generation is None else generation) != self.generation:
            return Error.illegal_generation
        return Error.none

    def _start_join(self):
        if self.state == JOINING:
            return
        self.state = JOINING
        self.end_of_join = time.monotonic() + max(member.rebalance for member in self.members.values())
        for member in self.members.values():
            _answer(member.syncing, {"error_code": Error.rebalance_in_progress})
            member.syncing = None

    def _finish_join_if_complete(self):
        if self.state != JOINING or any(member.joining is None for member in self.members.values()):
            return
        self.generation += 1
        if not self.members:
            self.state = EMPTY
            return
        if self.leader not in self.members:
            self.leader = next(iter(self.members))
        common = self._common()
        self.protocol = next(name for name in self.members[self.leader].protocols if name in common)
        self.state = SYNCING
        for member in self.members.values():
            member.is_alive()
            _answer(member.joining, self._joined(member))
            member.joining = None

    def _protocol(self):
        kind = self.members[self.leader].kind if self.leader in self.members else "consumer"
        return {"protocol_type": kind, "protocol_name": self.protocol}

    def _joined(self, member):
        everyone = [{"member_id": other.name, "metadata": other.protocols[self.protocol]}
                    for other in self.members.values()]
        return {"generation_id": self.generation, "leader": self.leader, "member_id": member.name,
                "members": everyone if member.name == self.leader else [], **self._protocol()}

    def _remove(self, name):
        member = self.members.pop(name)
        _answer(member.joining, {"error_code": Error.unknown_member_id})
        _answer(member.syncing, {"error_code": Error.unknown_member_id})
        if not self.members:
            self.state, self.generation = EMPTY, self.generation + 1
        elif self.state != JOINING:
            self._start_join()
        self._finish_join_if_complete()


def _answer(future, reply):
    if future is not None and not future.done():
        future.set_result(reply)
