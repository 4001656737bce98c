"""The steps of a case: functions of a connection that send something, or check what comes back.

What a check accepts is what h2spec accepts. A connection that is closed or reset counts as an error of the connection or the
stream; one that stays silent for two seconds fails every check.
"""

import struct

from connection import ACK, CODES, END_HEADERS, END_STREAM, MAX_CONCURRENT_STREAMS, PADDED, PREFACE, PRIORITY, Failure, frame, settings

CASES = []
DUMMY = [("x-dummy0", "x" * 4000)]
LARGEST_FRAME = 16384


def case(section, name, *steps, handshake=True):
    number = 1 + sum(known == section for known, *_ in CASES)
    CASES.append((section, number, name, handshake, steps))


# --- sending


def raw(data):
    return lambda connection: connection.send(data)


def preface():
    return raw(PREFACE + settings((4, 65535)))


def head(
    stream=1, method="GET", end_stream=True, end_headers=True, fields=None, before=b"", after=b"", cut=None, pad=None, priority=None
):
    """HEADERS with a request. `fields` changes its list of fields; `cut` names the bytes of the block that are sent."""

    def step(connection):
        request = connection.request(method)
        block = before + connection.encode(fields(request) if fields else request) + after
        connection.block = block
        payload = (priority or b"") + (block[:cut] if cut else block)
        flags = END_STREAM * end_stream | END_HEADERS * end_headers | PRIORITY * bool(priority)
        if pad is not None:
            payload, flags = bytes([pad]) + payload + bytes(pad), flags | PADDED
        connection.send(frame("HEADERS", flags, stream, payload))

    return step


def post(stream=1, end_stream=False, **rest):
    return head(stream, "POST", end_stream, **rest)


def add(*fields):
    return lambda request: [*request, *fields]


def trailers(*fields, end_stream=True, stream=1):
    return lambda connection: connection.send(
        frame("HEADERS", END_STREAM * end_stream | END_HEADERS, stream, connection.encode(list(fields)))
    )


def continuation(stream=1, end=True, fields=DUMMY):
    return lambda connection: connection.send(frame("CONTINUATION", END_HEADERS * end, stream, connection.encode(fields)))


def rest_of_block(first, last=None):
    """CONTINUATION with a part of the block that `head` cut."""
    return lambda connection: connection.send(frame("CONTINUATION", END_HEADERS * (last is None), 1, connection.block[first:last]))


def data(stream=1, payload=b"test", end=True):
    return raw(frame("DATA", END_STREAM * end, stream, payload))


def depends(on=0, weight=255, exclusive=False):
    return struct.pack(">IB", on | exclusive << 31, weight)


def priority(stream=1, **rest):
    return raw(frame("PRIORITY", 0, stream, depends(**rest)))


def reset(stream=1, code=CODES.index("CANCEL")):
    return raw(frame("RST_STREAM", 0, stream, struct.pack(">I", code)))


def set_to(*pairs):
    return raw(settings(*pairs))


def window(stream, increment):
    return raw(frame("WINDOW_UPDATE", 0, stream, struct.pack(">I", increment)))


def ping(text=b"", ack=False):
    return raw(frame("PING", ACK * ack, 0, text.ljust(8, b"\0")))


def go_away(code=0, text=b""):
    return raw(frame("GOAWAY", 0, 0, struct.pack(">II", 0, code) + text))


def push_promise():
    return lambda connection: connection.send(
        frame("PUSH_PROMISE", END_HEADERS, 1, struct.pack(">I", 3) + connection.encode(connection.request()))
    )


def one_stream_too_many(connection):
    if MAX_CONCURRENT_STREAMS not in connection.settings:
        raise Failure("SETTINGS_MAX_CONCURRENT_STREAMS in the handshake")
    for at in range(connection.settings[MAX_CONCURRENT_STREAMS] + 1):
        head(2 * at + 1)(connection)


# --- checking


def until(expected, accepts):
    """Waits for an event that is accepted, to the end of the connection."""

    def step(connection):
        while not connection.closed:
            if accepts(connection.wait()):
                return
        raise Failure(expected)

    return step


def next_of(kind, expected, accepts=lambda event: True):
    """The next frame of a kind must be accepted; others may come before it."""

    def step(connection):
        while not connection.closed:
            event = connection.wait()
            if event.kind == kind:
                if accepts(event):
                    return
                break
        raise Failure(expected)

    return step


def connection_error(*codes):
    return until(
        f"GOAWAY {' or '.join(codes)}, or closed",
        lambda event: event.kind == "closed" or event.kind == "GOAWAY" and event.code in codes,
    )


def stream_error(*codes):
    return until(
        f"RST_STREAM or GOAWAY {' or '.join(codes)}, or closed",
        lambda event: event.kind == "closed" or event.kind in ("GOAWAY", "RST_STREAM") and event.code in codes,
    )


def is_closed():
    return until("closed", lambda event: event.kind == "closed")


def stream_ends():
    return until(
        "the end of the stream", lambda event: event.ends_stream or event.kind == "RST_STREAM" and event.code == "NO_ERROR"
    )


def answered(stream=1):
    return next_of("HEADERS", f"HEADERS of stream {stream}", lambda event: event.stream == stream)


def is_pong(event, text):
    return event.kind == "PING" and event.is_ack and event.payload == text.ljust(8, b"\0")


def pong(text=b""):
    return next_of("PING", f"PING with ACK and {text!r}", lambda event: is_pong(event, text))


def pong_or_closed(text=b""):
    return until(f"PING with ACK and {text!r}, or closed", lambda event: event.kind == "closed" or is_pong(event, text))


def settings_acknowledged():
    return next_of("SETTINGS", "SETTINGS with ACK", lambda event: event.is_ack)


def any_ping():
    return next_of("PING", "PING")


def any_data():
    return next_of("DATA", "DATA")


def one_byte():
    return next_of("DATA", "DATA of 1 byte", lambda event: len(event.payload) == 1)


def next_is_settings(connection):
    event = connection.wait()
    if event.kind != "SETTINGS" or event.is_ack:
        raise Failure("SETTINGS without ACK as the first frame")


def go_away_with(*codes):
    return next_of("GOAWAY", f"GOAWAY {' or '.join(codes)}", lambda event: not codes or event.code in codes)


def reset_with(code):
    return next_of("RST_STREAM", f"RST_STREAM {code} of stream 1", lambda event: event.stream == 1 and event.code == code)
