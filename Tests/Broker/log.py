"""The log of one partition. Its record batches stay the bytes that a producer sent; only their headers are read."""
import bisect
import io
import struct
import time

from crc32c import crc32c
from kio.serial.readers import read_signed_varint, read_signed_varlong
from kio.serial.writers import write_signed_varint, write_signed_varlong

# Base offset, length, leader epoch, magic, CRC; attributes, last offset's delta, first and last timestamp, producer's
# identifier and epoch, first sequence number, records. The CRC is of what comes after it.
HEADER = struct.Struct(">qiibIhiqqqhii")
CHECKED = struct.Struct(">hiqqqhii")
COMPRESSION, TRANSACTIONAL, CONTROL = 0x07, 0x10, 0x20
ABORT, COMMIT = 0, 1


class Batch:
    """A record batch and what its header says."""
    def __init__(self, data):
        self.data = data
        (self.base, _, self.epoch, magic, _, self.attributes, delta, self.first_timestamp, self.last_timestamp,
         self.producer, self.producer_epoch, self.sequence, self.count) = HEADER.unpack_from(data)
        if magic != 2:
            raise ValueError(f"a record batch of version {magic}")
        self.last = self.base + delta

    def placed(self, base, epoch):
        """The same batch at an offset; neither that nor the leader's epoch is in the CRC."""
        return Batch(struct.pack(">q", base) + self.data[8:12] + struct.pack(">i", epoch) + self.data[16:])

    def is_valid(self):
        return crc32c(memoryview(self.data)[21:]) == struct.unpack_from(">I", self.data, 17)[0]

    def records(self):
        """Of each record: offset, timestamp, key, value, and its own bytes."""
        if self.attributes & COMPRESSION:
            raise ValueError("a compressed batch: set compression.codec to none where the broker has to read it")
        data, position = self.data, HEADER.size
        for _ in range(self.count):
            start = position
            length, size = read_signed_varint(data, position)
            end = position + size + length
            position += size + 1  # the attributes, which are not used
            timestamp, size = read_signed_varlong(data, position)
            position += size
            delta, size = read_signed_varint(data, position)
            position += size
            key, position = _read_bytes(data, position)
            value, position = _read_bytes(data, position)
            position = end
            yield self.base + delta, self.first_timestamp + timestamp, key, value, data[start:end]

    def without(self, offsets):
        """As compaction leaves it: it keeps its offsets, but lacks records. Nothing when none is left."""
        kept = [record[4] for record in self.records() if record[0] not in offsets]
        if not kept:
            return None
        checked = CHECKED.pack(self.attributes, self.last - self.base, self.first_timestamp, self.last_timestamp,
                               self.producer, self.producer_epoch, self.sequence, len(kept)) + b"".join(kept)
        return Batch(_framed(checked)).placed(self.base, self.epoch)


def _read_bytes(data, position):
    length, size = read_signed_varint(data, position)
    position += size
    return (None, position) if length < 0 else (bytes(data[position:position + length]), position + length)


def _framed(checked):
    return struct.pack(">qiibI", 0, len(checked) + 9, 0, 2, crc32c(checked)) + checked


def split(data):
    """The batches of a produce request."""
    batches, position = [], 0
    while position < len(data):
        end = position + 12 + struct.unpack_from(">i", data, position + 8)[0]
        batches.append(Batch(bytes(data[position:end])))
        position = end
    return batches


def make_batch(messages, attributes=0, producer=-1, producer_epoch=-1, sequence=-1):
    """A batch of messages, each a timestamp (or None for now), key and value."""
    now = time.time_ns() // 1_000_000
    timestamps = [now if timestamp is None else timestamp for timestamp, _, _ in messages]
    body = io.BytesIO()
    for number, (_, key, value) in enumerate(messages):
        record = io.BytesIO()
        record.write(b"\0")
        write_signed_varlong(record, timestamps[number] - timestamps[0])
        write_signed_varint(record, number)
        for part in (key, value):
            write_signed_varint(record, -1 if part is None else len(part))
            record.write(part or b"")
        write_signed_varint(record, 0)
        write_signed_varint(body, record.tell())
        body.write(record.getvalue())
    head = CHECKED.pack(attributes, len(messages) - 1, timestamps[0], max(timestamps),
                        producer, producer_epoch, sequence, len(messages))
    return Batch(_framed(head + body.getvalue()))


def make_marker(kind, producer, producer_epoch):
    """The control batch that ends a transaction."""
    record = (None, struct.pack(">hh", 0, kind), struct.pack(">hi", 0, 0))
    return make_batch([record], TRANSACTIONAL | CONTROL, producer, producer_epoch)


class Log:
    """The batches of one partition, and who waits for more of them."""

    def __init__(self):
        self.batches = []
        self.low = self.high = self.epoch = 0
        self.waiters = set()
        self._index()

    def _index(self):
        """What follows from the batches alone, as a broker finds it when it starts."""
        self.epochs = []     # each leader epoch with its first offset
        self.open = {}       # producers of unfinished transactions, with the first offset of each
        self.aborted = []    # producer, first and last offset
        self.sequences = {}  # of each idempotent producer: its epoch and its last batches
        for batch in self.batches:
            self._note(batch)

    def _note(self, batch):
        if not self.epochs or self.epochs[-1][0] != batch.epoch:
            self.epochs.append((batch.epoch, batch.base))
        if batch.attributes & CONTROL:
            first = self.open.pop(batch.producer, None)
            kind = struct.unpack(">hh", next(batch.records())[2])[1]
            if first is not None and kind == ABORT:
                self.aborted.append((batch.producer, first, batch.last))
            return
        if batch.attributes & TRANSACTIONAL:
            self.open.setdefault(batch.producer, batch.base)
        if batch.producer >= 0:
            epoch, known = self.sequences.get(batch.producer, (batch.producer_epoch, []))
            known = known if epoch == batch.producer_epoch else []
            self.sequences[batch.producer] = (batch.producer_epoch, [*known, batch][-5:])

    @property
    def stable(self):
        """The last stable offset: a read_committed reader gets what is below it."""
        return min(self.open.values(), default=self.high)

    def wake(self):
        for waiter in self.waiters:
            waiter.set()

    def append(self, batch):
        batch = batch.placed(self.high, self.epoch)
        self.batches.append(batch)
        self.high = batch.last + 1
        self._note(batch)
        self.wake()
        return batch

    def known(self, batch):
        """Whether an idempotent producer's batch is out of order; and the batch that is the same, if it came before."""
        epoch, known = self.sequences.get(batch.producer, (None, []))
        if epoch is None:
            return False, None
        if epoch != batch.producer_epoch:
            return batch.sequence != 0, None
        end = batch.sequence + batch.count - 1
        for earlier in known:
            if (earlier.sequence, earlier.sequence + earlier.count - 1) == (batch.sequence, end):
                return False, earlier
        expected = (known[-1].sequence + known[-1].count) & 0x7FFFFFFF
        return batch.sequence != expected, None

    def read(self, offset, most_bytes, until, at_least_one):
        """The bytes from the batch with an offset on, whole batches, as many as fit."""
        taken, size = [], 0
        start = bisect.bisect_left(self.batches, offset, key=lambda batch: batch.last)
        for batch in self.batches[start:]:
            if batch.base >= until or (size + len(batch.data) > most_bytes and (taken or not at_least_one)):
                break
            taken.append(batch)
            size += len(batch.data)
        end = taken[-1].last + 1 if taken else offset
        aborted = [entry for entry in self.aborted if entry[2] >= offset and entry[1] < end]
        return b"".join(batch.data for batch in taken), aborted

    def end_of_epoch(self, epoch):
        """The last epoch up to this one, and the offset at which it ended."""
        known = [entry for entry in self.epochs if entry[0] <= epoch]
        if not known:
            return -1, -1
        later = [first for other, first in self.epochs if other > known[-1][0]]
        return known[-1][0], later[0] if later else self.high

    def truncate(self, offset):
        """Loses its end, as by a power cut: all batches from the one with this offset on."""
        self.batches = [batch for batch in self.batches if batch.last < offset]
        self.high = min(self.high, max(self.low, self.batches[-1].last + 1 if self.batches else self.low))
        self.low = min(self.low, self.high)
        self._index()
        self.wake()

    def delete_before(self, offset):
        """Loses its beginning, as by retention."""
        self.low = max(self.low, min(offset, self.high))
        self.batches = [batch for batch in self.batches if batch.last >= self.low]
        self.wake()

    def compact(self, offsets):
        """Loses single records, and keeps all offsets."""
        found = [batch.without(offsets) if any(batch.base <= offset <= batch.last for offset in offsets) else batch
                 for batch in self.batches]
        self.batches = [batch for batch in found if batch]

    def at_time(self, timestamp):
        """The first record that is as young: its offset and timestamp."""
        for batch in self.batches:
            if batch.last_timestamp >= timestamp:
                for offset, time_, *_ in batch.records():
                    if offset >= self.low and time_ >= timestamp:
                        return offset, time_
        return -1, -1

    def committed(self):
        """What a read_committed reader gets: offset, timestamp, key, value."""
        for batch in self.batches:
            if batch.attributes & CONTROL or batch.base >= self.stable:
                continue
            if not (batch.attributes & TRANSACTIONAL and self._is_aborted(batch)):
                yield from (record[:4] for record in batch.records() if record[0] >= self.low)

    def _is_aborted(self, batch):
        return any(producer == batch.producer and first <= batch.base <= last
                   for producer, first, last in self.aborted)
