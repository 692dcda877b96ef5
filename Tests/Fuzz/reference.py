"""What becomes of a message and of a file of recorded readings, by the contract alone."""
import datetime as dt
import json
import re

TIME = re.compile(
    rb"(\d{4})-(\d\d)-(\d\d)[Tt ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?"
    rb"(?:[Zz]|([+-])(\d\d)(?::?(\d\d))?)", re.ASCII)
NUMBER = re.compile(r"[+-]?[0-9]+", re.ASCII)
VERSION = re.compile(r"1(\.[0-9]+)*", re.ASCII)
EPOCH = dt.date(1970, 1, 1).toordinal()
DAY = 86_400_000_000
FIRST, LAST = (dt.date(1, 1, 1).toordinal() - EPOCH) * DAY, (dt.date(9999, 12, 31).toordinal() - EPOCH + 1) * DAY
MOST_DEPTH = 1000


class Rejected(Exception):
    """Its argument is the code."""


def instant(text):
    """Microseconds since 1970; None when the text is no timestamp."""
    match = TIME.fullmatch(text)
    if not match:
        return None
    year, month, day, hour, minute, second, fraction, sign, east, more = match.groups()
    try:
        days = dt.date(int(year), int(month), int(day)).toordinal() - EPOCH
    except ValueError:
        return None
    hour, minute, second = int(hour), int(minute), int(second or 0)
    east, more = int(east or 0), int(more or 0)
    if hour > 23 or minute > 59 or second > 59 or east > 15 or more > 59:
        return None
    offset = (east * 60 + more) * (-60 if sign == b"-" else 60)
    micros = (days * 86_400 + hour * 3600 + minute * 60 + second - offset) * 1_000_000
    micros += int((fraction or b"0")[:6].ljust(6, b"0"))
    return micros if FIRST <= micros < LAST else None


def depth(text):
    """How deep arrays and objects are nested; strings are left out."""
    most = level = 0
    in_string = escaped = False
    for character in text:
        if in_string:
            escaped, in_string = character == "\\" and not escaped, escaped or character != '"'
        elif character == '"':
            in_string = True
        elif character in "[{":
            level += 1
            most = max(most, level)
        elif character in "]}":
            level -= 1
    return most


def parse(payload):
    if payload.startswith(b"\xef\xbb\xbf"):
        payload = payload[3:]

    def refuse(constant):
        raise ValueError(constant)

    def members(pairs):
        # A lone surrogate has no UTF-8, also in what is told twice.
        json.dumps(pairs, ensure_ascii=False).encode("utf-8")
        return dict(pairs)

    try:
        text = payload.decode("utf-8")
        if text.startswith("\ufeff") or text.strip(" \t\r\n\f\v") != text.strip(" \t\r\n"):
            raise ValueError("white space")
        if depth(text) > MOST_DEPTH:
            raise ValueError("depth")
        document = json.loads(text, parse_constant=refuse, object_pairs_hook=members)
        json.dumps(document, ensure_ascii=False).encode("utf-8")
        return document
    except (ValueError, RecursionError) as error:
        raise Rejected("malformed_json") from error


def text_of(document, name, required):
    value = document.get(name)
    if value is None:
        if required:
            raise Rejected("missing_field")
        return None
    if not isinstance(value, str):
        raise Rejected("wrong_type")
    return value


def check_id(text):
    if not text:
        raise Rejected("id_empty")
    if len(text) > 50:
        raise Rejected("id_too_long")
    if "\0" in text:
        raise Rejected("id_contains_nul")


def heart_rate(value):
    if value is None:
        raise Rejected("missing_field")
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        raise Rejected("wrong_type")
    if isinstance(value, str):
        if not NUMBER.fullmatch(value):
            raise Rejected("wrong_type")
        digits = value.lstrip("+-").lstrip("0")
        number = int(digits[:30] or 0) * (-1 if value.startswith("-") else 1)
    elif isinstance(value, float):
        if value in (float("inf"), float("-inf")):
            raise Rejected("out_of_range")
        if value != int(value):
            raise Rejected("wrong_type")
        number = int(value)
    else:
        number = value
    if not 0 < number < 300:
        raise Rejected("out_of_range")
    return number


def decode(payload, now, skew, most_bytes=65_536):
    """(customer, microseconds, bpm) of a message's value."""
    if payload is None:
        raise Rejected("tombstone")
    if len(payload) > most_bytes:
        raise Rejected("too_large")
    document = parse(payload)
    if not isinstance(document, dict):
        raise Rejected("not_an_object")
    version = text_of(document, "schema_version", False)
    if version is not None and not VERSION.fullmatch(version):
        raise Rejected("unknown_schema_version")
    customer = text_of(document, "customer_id", True)
    check_id(customer)
    time = text_of(document, "timestamp", True)
    micros = instant(time.encode("utf-8"))
    if micros is None:
        raise Rejected("bad_timestamp")
    bpm = heart_rate(document.get("heart_rate"))
    unit = text_of(document, "unit", False)
    if unit is not None and unit not in ("bpm", "beats/min", "/min"):
        raise Rejected("unknown_unit")
    if micros > now + skew:
        raise Rejected("future_timestamp")
    return customer, micros, bpm


def anomaly(bpm, low=40, high=180):
    if bpm < low:
        return f"bradycardia (bpm={bpm} < threshold={low})"
    return f"tachycardia (bpm={bpm} > threshold={high})" if bpm > high else None


# Files


class BadRow(Exception):
    pass


def fields(line):
    """A line's fields by RFC 4180."""
    found, place = [], 0
    while True:
        if line[place:place + 1] == b'"':
            match = re.compile(rb'"((?:[^"]|"")*)"(?=,|$)', re.DOTALL).match(line, place)
            if not match or (match.end() < len(line) and line[match.end():match.end() + 1] != b","):
                raise BadRow
            found.append(match.group(1).replace(b'""', b'"'))
            place = match.end()
        else:
            end = line.find(b",", place)
            end = len(line) if end < 0 else end
            if b'"' in line[place:end]:
                raise BadRow
            found.append(line[place:end])
            place = end
        if place >= len(line):
            return found
        place += 1


def replay(contents, now, skips):
    """The (customer, time, bpm) that a file's replay sends; None when the file is refused."""
    lines = contents.split(b"\n")
    # What a file without an end of its last line has there is no end of a line.
    lines = [line.removesuffix(b"\r") for line in lines[:-1]] + [lines[-1].removesuffix(b"\x1a")]
    try:
        names = fields(lines[0].removeprefix(b"\xef\xbb\xbf"))
    except BadRow:
        return None
    wanted = [b"customer_id", b"recorded_at", b"heart_rate"]
    if any(names.count(name) != 1 for name in wanted):
        return None
    sent = []
    for line in lines[1:]:
        if line.strip(b" \t") == b"" or line == b"\x1a":
            continue
        try:
            row = fields(line)
            if len(row) != len(names):
                raise BadRow
            customer, time, rate = (row[names.index(name)] for name in wanted)
            if rate.lower() in (b"", b"nan", b"na", b"null", b"none"):
                continue
            match = re.fullmatch(rb"([+-]?)([0-9]+)(\.0+)?", rate)
            micros = instant(time)
            if not match or micros is None or micros > now + 300_000_000:
                raise BadRow
            digits = match.group(2).lstrip(b"0")
            bpm = int(digits[:30] or 0)
            if match.group(1) == b"-" or not 0 < bpm < 300:
                raise BadRow
            check_id(customer.decode("utf-8"))
            sent.append((customer.decode("utf-8"), time.decode(), bpm))
        except (BadRow, Rejected, UnicodeDecodeError):
            if not skips:
                return None
    return sent
