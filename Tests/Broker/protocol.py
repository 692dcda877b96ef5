"""Kafka's protocol on the wire, by the classes of kio: requests become values, plain dictionaries become replies."""
import dataclasses
import datetime
import io
import struct
import types
import typing
import uuid

from kio.index import load_request_schema, load_response_schema
from kio.schema.errors import ErrorCode
from kio.schema.index import api_key_map
from kio.serial import entity_reader, entity_writer

# What ApiVersions says: the first and the last version of each request. None has the identifiers of topics, so that a
# topic is always known by its name.
VERSIONS = {
    "produce": (3, 8), "fetch": (4, 11), "list_offsets": (1, 6), "metadata": (0, 9), "offset_commit": (2, 8),
    "offset_fetch": (1, 7), "find_coordinator": (0, 3), "join_group": (0, 7), "heartbeat": (0, 4),
    "leave_group": (0, 4), "sync_group": (0, 5), "sasl_handshake": (0, 1), "api_versions": (0, 3),
    "create_topics": (2, 6), "delete_topics": (1, 5), "init_producer_id": (0, 4), "offset_for_leader_epoch": (2, 4),
    "describe_configs": (1, 4), "sasl_authenticate": (0, 2), "create_partitions": (0, 3),
    "list_groups": (0, 2), "describe_groups": (0, 2), "delete_groups": (0, 1),
}
KEYS = {name: key for key, name in api_key_map.items()}
# Apache Kafka says 0 here, too, although it no longer has these versions: old clients look whether they are there.
SAID_FROM_0 = {"produce", "fetch", "list_offsets", "offset_fetch", "offset_commit", "create_topics", "delete_topics"}

# What an empty field of a class is, by the class that it comes from.
EMPTY = ((ErrorCode, ErrorCode.none), (datetime.timedelta, datetime.timedelta()), (bool, False), (int, 0), (str, ""),
         (bytes, b""), (uuid.UUID, None))

PREFIX = struct.Struct(">hhi")


class Unsupported(Exception):
    """A request that ApiVersions does not list."""


@dataclasses.dataclass
class Request:
    """One request; `body` is kio's value of its class."""
    name: str
    version: int
    correlation: int
    body: typing.Any


def read_request(frame):
    """The request in a frame, which comes without its length."""
    key, version, correlation = PREFIX.unpack_from(frame)
    name = api_key_map.get(key, "")
    if name == "api_versions" and version > VERSIONS[name][1]:
        # The client asks again with a version of the answer, which is in the form of version 0.
        return Request(name, -1, correlation, None)
    first, last = VERSIONS.get(name, (0, -1))
    if not first <= version <= last:
        raise Unsupported(f"{name or key} version {version}")
    schema = load_request_schema(key, version)
    _, size = entity_reader(schema.__header_schema__)(frame, 0)
    body, _ = entity_reader(schema)(frame, size)
    return Request(name, version, correlation, body)


def write_reply(request, values):
    """The frame, with its length, of an answer that is given as a dictionary."""
    schema = load_response_schema(KEYS[request.name], max(request.version, 0))
    buffer = io.BytesIO()
    header = schema.__header_schema__
    entity_writer(header)(buffer, header(correlation_id=request.correlation))
    entity_writer(schema)(buffer, build(schema, values))
    return struct.pack(">i", buffer.tell()) + buffer.getvalue()


def build(schema, values):
    """A value of one of kio's classes. Fields that this version does not have are left out, missing ones are empty."""
    return schema(**{
        field.name: _convert(inner, is_many, values[field.name]) if field.name in values else empty
        for field, inner, is_many, empty in _fields(schema)
        if field.name in values or not _has_default(field)
    })


def _convert(inner, is_many, value):
    if value is None:
        return None
    if is_many:
        return tuple(_convert(inner, False, item) for item in value)
    if dataclasses.is_dataclass(inner):
        return build(inner, value)
    return ErrorCode(value) if inner is ErrorCode else value


_known = {}


def _fields(schema):
    """Of each field: what it is made of, whether it is an array, and its empty value."""
    if schema not in _known:
        _known[schema] = [(field, *_shape(field)) for field in dataclasses.fields(schema)]
    return _known[schema]


def _shape(field):
    kind, is_nullable = field.type, False
    if typing.get_origin(kind) in (types.UnionType, typing.Union):
        is_nullable = type(None) in typing.get_args(kind)
        kind = next(part for part in typing.get_args(kind) if part is not type(None))
    if typing.get_origin(kind) is tuple:
        return typing.get_args(kind)[0], True, ()
    if is_nullable:
        return kind, False, None
    for base, empty in EMPTY:
        if issubclass(kind, base):
            return kind, False, empty
    return kind, False, None


def _has_default(field):
    return field.default is not dataclasses.MISSING or field.default_factory is not dataclasses.MISSING
