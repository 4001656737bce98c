"""The cases `http2`, sections 3 to 5: the preface, frames, streams and errors."""

from steps import *

S = "http2/3.5"
case(S, "Sends client connection preface", preface(), next_is_settings, handshake=False)
invalid = raw(b"INVALID CONNECTION PREFACE\r\n\r\n")
case(S, "Sends invalid connection preface", invalid, connection_error("PROTOCOL_ERROR"), handshake=False)

S = "http2/4.1"
unknown = raw(frame(0x16, 0, 0, bytes(8)))
case(S, "Sends a frame with unknown type", unknown, ping(), pong())
case(S, "Sends a frame with undefined flag", raw(frame("PING", 0x16, 0, bytes(8))), any_ping())
case(S, "Sends a frame with reserved field bit", raw(frame("PING", 0x16, 1 << 31, bytes(8))), any_ping())

S = "http2/4.2"
case(S, "Sends a DATA frame with 2^14 octets in length", post(), data(payload=b"x" * LARGEST_FRAME), answered())
case(
    S, "Sends a large size DATA frame that exceeds the SETTINGS_MAX_FRAME_SIZE",
    post(), data(payload=b"x" * (LARGEST_FRAME + 1)), stream_error("FRAME_SIZE_ERROR"),
)
case(
    S, "Sends a large size HEADERS frame that exceeds the SETTINGS_MAX_FRAME_SIZE",
    head(fields=add(*((f"x-dummy{at}", "x" * 4000) for at in range(5)))), connection_error("FRAME_SIZE_ERROR"),
)

S = "http2/4.3"
begun = head(end_stream=False, end_headers=False)
incomplete = raw(frame("HEADERS", END_STREAM | END_HEADERS, 1, b"\x40"))
case(S, "Sends invalid header block fragment", incomplete, connection_error("COMPRESSION_ERROR"))
case(
    S, "Sends a PRIORITY frame while sending the header blocks", begun, priority(), continuation(), connection_error("PROTOCOL_ERROR")
)
case(
    S, "Sends a HEADERS frame to another stream while sending the header blocks",
    begun, head(3), continuation(), connection_error("PROTOCOL_ERROR"),
)

S = "http2/5.1"
CLOSED, PROTOCOL = "STREAM_CLOSED", "PROTOCOL_ERROR"
open_head = head(end_stream=False)
whole = (head(), stream_ends())
case(S, "idle: Sends a DATA frame", data(), stream_error(PROTOCOL, CLOSED))
case(S, "idle: Sends a RST_STREAM frame", reset(), connection_error(PROTOCOL))
case(S, "idle: Sends a WINDOW_UPDATE frame", window(1, 100), connection_error(PROTOCOL))
request_in_continuation = lambda connection: continuation(fields=connection.request())(connection)
case(S, "idle: Sends a CONTINUATION frame", request_in_continuation, connection_error(PROTOCOL))
case(S, "half closed (remote): Sends a DATA frame", head(), data(), stream_error(CLOSED))
case(S, "half closed (remote): Sends a HEADERS frame", head(), head(), stream_error(CLOSED))
case(S, "half closed (remote): Sends a CONTINUATION frame", head(), rest_of_block(0), stream_error(CLOSED, PROTOCOL))
case(S, "closed: Sends a DATA frame after sending RST_STREAM frame", open_head, reset(), data(), stream_error(CLOSED))
case(S, "closed: Sends a HEADERS frame after sending RST_STREAM frame", open_head, reset(), head(), stream_error(CLOSED))
case(
    S, "closed: Sends a CONTINUATION frame after sending RST_STREAM frame",
    open_head, reset(), continuation(), stream_error(CLOSED, PROTOCOL),
)
case(S, "closed: Sends a DATA frame", *whole, data(), stream_error(CLOSED))
case(S, "closed: Sends a HEADERS frame", *whole, head(), connection_error(CLOSED))
case(S, "closed: Sends a CONTINUATION frame", *whole, continuation(), connection_error(CLOSED, PROTOCOL))

S = "http2/5.1.1"
case(S, "Sends even-numbered stream identifier", head(2), connection_error(PROTOCOL))
case(S, "Sends stream identifier that is numerically smaller than previous", head(5), head(3), connection_error(PROTOCOL))

case(
    "http2/5.1.2", "Sends HEADERS frames that causes their advertised concurrent stream limit to be exceeded",
    set_to((4, 0)), one_stream_too_many, stream_error(PROTOCOL, "REFUSED_STREAM"),
)

S = "http2/5.3.1"
case(S, "Sends HEADERS frame that depends on itself", head(priority=depends(1)), stream_error(PROTOCOL))
case(S, "Sends PRIORITY frame that depend on itself", priority(1, on=1), stream_error(PROTOCOL))

S = "http2/5.4.1"
ping_of_a_stream = raw(frame("PING", 0, 3, bytes(8)))
case(S, "Sends an invalid PING frame for connection close", ping_of_a_stream, is_closed())
case(S, "Sends an invalid PING frame to receive GOAWAY frame", ping_of_a_stream, go_away_with())

S = "http2/5.5"
case(S, "Sends an unknown extension frame", unknown, ping(), pong())
case(
    S, "Sends an unknown extension frame in the middle of a header block",
    head(end_headers=False), unknown, connection_error(PROTOCOL),
)
