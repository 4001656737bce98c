"""A client's HTTP/2 connection that sends frames of any shape, and tells what comes back."""

import socket
import struct
import time
from dataclasses import dataclass

import hpack

PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
TIMEOUT = 2.0  # seconds, for each frame that is waited for
SHOWN = 100  # bytes of what is no frame
KINDS = ["DATA", "HEADERS", "PRIORITY", "RST_STREAM", "SETTINGS", "PUSH_PROMISE", "PING", "GOAWAY", "WINDOW_UPDATE", "CONTINUATION"]
LENGTHS = {"PRIORITY": 5, "RST_STREAM": 4, "PING": 8, "WINDOW_UPDATE": 4}
CODES = [
    "NO_ERROR", "PROTOCOL_ERROR", "INTERNAL_ERROR", "FLOW_CONTROL_ERROR", "SETTINGS_TIMEOUT", "STREAM_CLOSED",
    "FRAME_SIZE_ERROR", "REFUSED_STREAM", "CANCEL", "COMPRESSION_ERROR",
]
END_STREAM, ACK, END_HEADERS, PADDED, PRIORITY = 0x1, 0x1, 0x4, 0x8, 0x20
INITIAL_WINDOW_SIZE, MAX_CONCURRENT_STREAMS = 4, 3


class Failure(Exception):
    """A case that did not end as it must."""


def frame(kind, flags, stream, payload=b""):
    number = KINDS.index(kind) if isinstance(kind, str) else kind
    return struct.pack(">I", len(payload))[1:] + struct.pack(">BBI", number, flags, stream) + payload


def settings(*pairs):
    return frame("SETTINGS", 0, 0, b"".join(struct.pack(">HI", *pair) for pair in pairs))


@dataclass
class Event:
    """A frame that arrived; or, without one, that the connection is `closed`, the `timeout` is over, or an `error`."""

    kind: str
    flags: int = 0
    stream: int = 0
    payload: bytes = b""

    @property
    def ends_stream(self):
        return self.kind in ("DATA", "HEADERS") and bool(self.flags & END_STREAM)

    @property
    def is_ack(self):
        return bool(self.flags & ACK)

    @property
    def code(self):
        at = 4 if self.kind == "GOAWAY" else 0
        [number] = struct.unpack(">I", self.payload[at : at + 4])
        return CODES[number] if number < len(CODES) else f"{number:#x}"

    def __str__(self):
        if self.kind in ("closed", "timeout", "error"):
            return f"{self.kind} {self.payload!r}" if self.payload else self.kind
        code = f" {self.code}" if self.kind in ("GOAWAY", "RST_STREAM") else ""
        return f"{self.kind}{code} (stream {self.stream}, flags {self.flags:#x}, {len(self.payload)} bytes)"


class Connection:
    def __init__(self, address, path):
        host, port = address.rsplit(":", 1)
        self.socket = socket.create_connection((host, int(port)), TIMEOUT)
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.address, self.path = address, path
        self.encoder, self.settings = hpack.Encoder(), {}
        self.sent, self.events, self.closed = [], [], False

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.socket.close()

    def request(self, method="GET"):
        return [(":method", method), (":scheme", "http"), (":path", self.path), (":authority", self.address)]

    def encode(self, fields):
        return self.encoder.encode(fields)

    def send(self, data):
        self.sent.append(data)
        try:
            self.socket.settimeout(TIMEOUT)
            self.socket.sendall(data)
        except OSError:
            pass  # The peer may have closed the connection already, which the next read tells.

    def handshake(self):
        self.send(PREFACE + settings((INITIAL_WINDOW_SIZE, 65535)))
        acknowledged = announced = False
        end = time.monotonic() + TIMEOUT
        while not (acknowledged and announced):
            event = self.wait(end)
            if event.kind in ("closed", "timeout", "error"):
                raise Failure(f"{event} in the handshake")
            if event.kind == "SETTINGS" and event.is_ack:
                acknowledged = True
            elif event.kind == "SETTINGS":
                announced = True
                self.settings |= dict(struct.iter_unpack(">HI", event.payload))
                self.send(frame("SETTINGS", ACK, 0))
        self.sent.clear()
        self.events.clear()

    def wait(self, end=None):
        """The next frame, or how the connection ended. A timeout ends it too."""
        event = self.read(end or time.monotonic() + TIMEOUT)
        self.closed |= event.kind in ("closed", "timeout", "error")
        self.events.append(event)
        return event

    def read(self, end):
        head = b""
        try:
            head = self.read_exactly(9, end)
            if not head:
                return Event("closed")
            length, number, flags, stream = struct.unpack(">IBBI", b"\0" + head)
            payload = self.read_exactly(length, end)
        except TimeoutError:
            return Event("timeout")
        except ConnectionResetError:
            return Event("closed")
        except EOFError as rest:
            return Event("error", payload=head + rest.args[0])
        except OSError:
            return Event("error")
        kind = KINDS[number] if number < len(KINDS) else f"type {number:#x}"
        if LENGTHS.get(kind, length) != length:
            return Event("error")
        return Event(kind, flags, stream & 0x7FFFFFFF, payload)

    def read_exactly(self, length, end):
        """So many bytes; none at a clean end before the first one."""
        data = b""
        while len(data) < length:
            left = end - time.monotonic()
            if left <= 0:
                raise TimeoutError
            self.socket.settimeout(left)
            part = self.socket.recv(length - len(data))
            if not part:
                if data or length != 9:
                    raise EOFError(data[:SHOWN])
                return b""
            data += part
        return data
