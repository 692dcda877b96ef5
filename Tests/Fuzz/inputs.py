"""Random messages and files: mostly right, with values at the edges of their types in any place."""
import datetime as dt
import json

IDS = [
    "cust_0001", "a", "x" * 50, "x" * 51, "ä" * 50, "🫀" * 50, "🫀" * 51, "caf\u00e9", "cafe\u0301", '"\u0301x',
    "\\", "'", "{}", "NULL", "", " ", "\0", "a\0b", "\u202eabc", "\ufeff", "__proto__", "constructor", "../..",
    "%00", "\n", "\x7f", "\ud800", "\udfff", "\U0010ffff", "e\u0301" * 25, "e\u0301" * 26,
]
TIMES = [
    "2026-02-19T15:53:03Z", "2026-02-19T15:53Z", "2026-02-19T15:53:03+0530", "2026-02-19T15:53:03-05",
    "2026-02-19 15:53+05:30", "2026-02-19t15:53:03.123456789z", "2026-02-19T15:53:03.1234567890Z",
    "0000-01-01T00:00:00Z", "0001-01-01T00:00:00Z", "0001-01-01T00:00:00+00:01", "9999-12-31T23:59:59.999999Z",
    "9999-12-31T23:59:00-00:01", "2026-02-30T00:00:00Z", "2024-02-29T00:00:00Z", "2025-02-29T00:00:00Z",
    "1900-02-29T00:00Z", "2016-12-31T23:59:60Z", "2026-02-19T24:00:00Z", "2026-02-19T23:59:59+16:00",
    "2026-02-19T23:59:59+15:59", "2026-02-19T15:53:03", "2026-02-19", "now", "infinity", "", "1771516383",
    "2026-02-19T15:53:03.Z", "2026-02-19T15:53:03,5Z", "2026-02-19T15:53:03Z\0", "２026-02-19T15:53:03Z",
    "2026-02-19T15:53:03 Z", "1970-01-01T00:00:00Z", "1969-12-31T23:59:59.999999Z", "2000-01-01T00:00:00-0000",
]
NUMBERS = [
    "72", "1", "299", "0", "300", "-1", "-0", "-0.0", "72.0", "72.5", "7.2e1", "720e-1", "1e400", "-1e400",
    "1e-400", "9223372036854775807", "9223372036854775808", "-9223372036854775809", "18446744073709551615",
    "18446744073709551616", "99999999999999999999999", "1" * 400, "299.9999999999999999", "299.99999",
    "71.99999999999999999", "0.9999999999999999999", "1.0000000000000000000001", "2.99E+2", "2.99e2", "072",
    "+72", ".5", "5.", "1e", "0x48", "NaN", "Infinity", "-", "1_000", "true", "null", "[]", "{}", '"72"',
    '"+72"', '"-72"', '"007"', '" 72 "', '"72.0"', '"7e1"', '""', '"' + "9" * 500 + '"',
    '"' + "0" * 500 + '72"', '"٧٢"',
]
OTHERS = [
    "null", "true", "1", "1.0", "1e400", "-0", "[]", "{}", '""', '"x"', '"\\ud800"', '"\\udc00\\ud800"',
    '"\\u0000"', '"1.0"', '"1.5"', '"1"', '"2.0"', '"1."', '"10"', '"bpm"', '"BPM"', '"/min"', '"beats/min"',
    '"running"', "99999999999999999999", "1e-999",
]

CELLS = [*NUMBERS, "NaN", "", "72.00", "na", "None", "-7.0"]


def string(rnd, text):
    """JSON of a text, with or without escapes."""
    if any("\ud800" <= character <= "\udfff" for character in text):
        return json.dumps(text).encode()
    return json.dumps(text, ensure_ascii=rnd.random() < 0.3).encode()


def time(rnd, now):
    if rnd.random() < 0.3:
        return rnd.choice(TIMES)
    moment = now - dt.timedelta(seconds=rnd.choice((0, 1, 59, 3600, 86_400, 7_776_000, 9e8)) * rnd.random())
    if rnd.random() < 0.03:
        moment = now + dt.timedelta(seconds=rnd.choice((200, 400, 86_400)))
    text = moment.isoformat(timespec=rnd.choice(("minutes", "seconds", "milliseconds", "microseconds")))
    return text.replace("+00:00", rnd.choice(("+00:00", "Z", "z", "+0000", "+00", "-00", "+01:00", "-1000", "+05:45")))


def message(rnd, now):
    """(key, value, headers, Kafka's time stamp)."""
    customer = f"c{rnd.randrange(200)}" if rnd.random() < 0.8 else rnd.choice(IDS)
    rate = str(rnd.randrange(30, 220)) if rnd.random() < 0.8 else rnd.choice(NUMBERS)
    members = [(b"customer_id", string(rnd, customer)), (b"timestamp", string(rnd, time(rnd, now))),
               (b"heart_rate", rate.encode())]
    for name in (b"schema_version", b"unit", b"activity", b"other", b"\xc3\xa4"):
        if rnd.random() < 0.2:
            usual = '"bpm"' if name == b"unit" else '"1.0"'
            members.append((name, (rnd.choice(OTHERS) if rnd.random() < 0.5 else usual).encode()))
    if rnd.random() < 0.05:
        members.append((rnd.choice((b"customer_id", b"timestamp", b"heart_rate")), rnd.choice(OTHERS).encode()))
    if rnd.random() < 0.02:
        levels = rnd.choice((10, 900, 1100, 5000))
        members.append((b"deep", b"[" * levels + b"]" * levels))
    if rnd.random() < 0.05:
        del members[rnd.randrange(len(members))]
    rnd.shuffle(members)
    value = b"{" + b",".join(b'"%s":%s' % member for member in members) + b"}"
    fate = rnd.random()
    if fate < 0.01:
        value = None
    elif fate < 0.06:
        value = mutated(rnd, value)
    elif fate < 0.08:
        value = rnd.choice((b"\xef\xbb\xbf", b"\xef\xbb\xbf\xef\xbb\xbf", b" \t\r\n", b"\x0b", b"\0")) + value
    elif fate < 0.09:
        value = value[:-1] + b',"pad":"' + b"x" * rnd.choice((1000, 65_000, 66_000)) + b'"}'
    elif fate < 0.1:
        value = rnd.choice((b"", b"[]", b"1", b"null", b'"x"', b"{}", b"\xff", b"{", b"[" * 3000))
    key = rnd.choice((None, b"", customer.encode("utf-8", "surrogatepass"), b"\xff\0", b"k" * 1000))
    headers = [(rnd.choice(("a", "", "ä", "h" * 200)), rnd.choice((None, b"", b"\0\xff", b"v")))
               for _ in range(rnd.choice((0, 0, 0, 1, 3)))]
    stamp = rnd.choice((0, 0, 1, 1771516383000, 1771516383000000, 1771516383000000000, 2**63 - 1, -62135596800001,
                        253402300800000))
    return key, value, headers, stamp


def mutated(rnd, data):
    """Bytes with some that were changed, removed or added."""
    data = bytearray(data)
    for _ in range(rnd.choice((1, 1, 2, 5))):
        place = rnd.randrange(len(data) + 1)
        fate = rnd.random()
        if fate < 0.4 and data:
            data[place % len(data)] = rnd.randrange(256)
        elif fate < 0.7 and data:
            del data[place % len(data)]
        else:
            data[place:place] = rnd.choice((b'"', b"\\", b",", b"\0", b"\xff", b"\xed\xa0\x80", b"\xc0\x80", b"}", b"1",
                                            b"\n", b"\r"))
    return bytes(data)


def file(rnd, now):
    """The bytes of a file of recorded readings."""
    names = [b"customer_id", b"recorded_at", b"heart_rate"]
    names += [b"note"] * (rnd.random() < 0.2)
    rnd.shuffle(names)
    if rnd.random() < 0.05:
        names[rnd.randrange(len(names))] = rnd.choice((b"", b"bpm", b"heart_rate", b'"heart_rate"'))
    is_odd = rnd.random() < 0.5
    lines = [b",".join(names)]
    for _ in range(rnd.randrange(12)):
        odd = is_odd and rnd.random() < 0.2
        values = {
            b"customer_id": rnd.choice(IDS) if odd else f"c{rnd.randrange(20)}",
            b"recorded_at": time(rnd, now) if odd else "2026-02-19T15:53:03Z",
            b"heart_rate": rnd.choice(CELLS) if odd else str(rnd.randrange(30, 220)),
        }
        row = [values.get(name.strip(b'"'), "x").encode("utf-8", "surrogatepass") for name in names]
        if rnd.random() < 0.2:
            row = [b'"' + cell.replace(b'"', b'""') + b'"' for cell in row]
        lines.append(b",".join(row))
    end = rnd.choice((b"\n", b"\n", b"\r\n"))
    contents = end.join(lines) + rnd.choice(
        (b"", end, end * 3, b"\x1a", end + b"\x1a", end + b"\x1a" + end, end + b" \t" + end, end + b"  "))
    if rnd.random() < 0.15:
        contents = b"\xef\xbb\xbf" + contents
    return mutated(rnd, contents) if rnd.random() < 0.1 else contents
