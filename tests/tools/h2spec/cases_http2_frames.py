"""The cases `http2`, section 6: each type of frame."""

from steps import *

CLOSED, PROTOCOL, SIZE, FLOW = "STREAM_CLOSED", "PROTOCOL_ERROR", "FRAME_SIZE_ERROR", "FLOW_CONTROL_ERROR"
begun = head(end_stream=False, end_headers=False)
open_head = head(end_stream=False)

S = "http2/6.1"
case(S, "Sends a DATA frame with 0x0 stream identifier", data(0), connection_error(PROTOCOL))
case(
    S, 'Sends a DATA frame on the stream that is not in "open" or "half-closed (local)" state',
    post(end_stream=True), data(), stream_error(CLOSED),
)
too_padded = raw(frame("DATA", END_STREAM | PADDED, 1, b"\x06Test"))
case(S, "Sends a DATA frame with invalid pad length", post(fields=add(("content-length", "4"))), too_padded, connection_error(PROTOCOL))


def too_padded_head(connection):
    block = connection.encode(connection.request())
    connection.send(frame("HEADERS", END_STREAM | END_HEADERS | PADDED, 1, bytes([len(block) + 2]) + block))


S = "http2/6.2"
case(
    S, "Sends a HEADERS frame without the END_HEADERS flag, and a PRIORITY frame",
    begun, priority(), continuation(), connection_error(PROTOCOL),
)
case(
    S, "Sends a HEADERS frame to another stream while sending a HEADERS frame",
    begun, head(3), continuation(), connection_error(PROTOCOL),
)
case(S, "Sends a HEADERS frame with 0x0 stream identifier", head(0), connection_error(PROTOCOL))
case(S, "Sends a HEADERS frame with invalid pad length", too_padded_head, stream_error(PROTOCOL))

S = "http2/6.3"
case(S, "Sends a PRIORITY frame with 0x0 stream identifier", priority(0), connection_error(PROTOCOL))
short_priority = raw(frame("PRIORITY", 0, 1, b"\x80\0\0\x01"))
case(S, "Sends a PRIORITY frame with a length other than 5 octets", head(), short_priority, stream_error(SIZE))

S = "http2/6.4"
case(S, "Sends a RST_STREAM frame with 0x0 stream identifier", reset(0), connection_error(PROTOCOL))
case(S, "Sends a RST_STREAM frame on a idle stream", reset(), connection_error(PROTOCOL))
short_reset = raw(frame("RST_STREAM", 0, 1, bytes(3)))
case(S, "Sends a RST_STREAM frame with a length other than 4 octets", head(), short_reset, stream_error(SIZE))

S = "http2/6.5"
case(S, "Sends a SETTINGS frame with ACK flag and payload", raw(frame("SETTINGS", ACK, 0, b"\0")), connection_error(SIZE))
of_a_stream = raw(frame("SETTINGS", 0, 1, b"\0\x03\0\0\0\x64"))
case(S, "Sends a SETTINGS frame with a stream identifier other than 0x0", of_a_stream, connection_error(PROTOCOL))
half = raw(frame("SETTINGS", 0, 0, b"\0\x03\0"))
case(S, "Sends a SETTINGS frame with a length other than a multiple of 6 octets", half, stream_error(PROTOCOL, SIZE))

S = "http2/6.5.2"
PUSH, WINDOW, FRAME = "SETTINGS_ENABLE_PUSH (0x2)", "SETTINGS_INITIAL_WINDOW_SIZE (0x4)", "SETTINGS_MAX_FRAME_SIZE (0x5)"
case(S, f"{PUSH}: Sends the value other than 0 or 1", set_to((2, 2)), connection_error(PROTOCOL))
above_window = f"{WINDOW}: Sends the value above the maximum flow control window size"
case(S, above_window, set_to((4, 1 << 31)), connection_error(FLOW))
case(S, f"{FRAME}: Sends the value below the initial value", set_to((5, LARGEST_FRAME - 1)), connection_error(PROTOCOL))
case(S, f"{FRAME}: Sends the value above the maximum allowed frame size", set_to((5, 1 << 24)), connection_error(PROTOCOL))
case(S, "Sends a SETTINGS frame with unknown identifier", set_to((0xFF, 1)), ping(), pong())

S = "http2/6.5.3"
twice = set_to((4, 100), (4, 1))
case(S, "Sends multiple values of SETTINGS_INITIAL_WINDOW_SIZE", twice, settings_acknowledged(), head(), one_byte())
case(S, "Sends a SETTINGS frame without ACK flag", set_to((2, 0)), settings_acknowledged())

S = "http2/6.7"
case(S, "Sends a PING frame", ping(b"h2spec"), pong(b"h2spec"))
case(S, "Sends a PING frame with ACK", ping(b"invalid", ack=True), ping(b"h2spec"), pong(b"h2spec"))
of_a_stream = raw(frame("PING", 0, 1, bytes(8)))
case(S, "Sends a PING frame with a stream identifier field value other than 0x0", of_a_stream, connection_error(PROTOCOL))
case(S, "Sends a PING frame with a length field value other than 8", raw(frame("PING", 0, 0, bytes(6))), connection_error(SIZE))

go_away_of_a_stream = raw(frame("GOAWAY", 0, 1, bytes(8)))
case("http2/6.8", "Sends a GOAWAY frame with a stream identifier other than 0x0", go_away_of_a_stream, connection_error(PROTOCOL))

S = "http2/6.9"
case(S, "Sends a WINDOW_UPDATE frame with a flow control window increment of 0", window(0, 0), connection_error(PROTOCOL))
case(
    S, "Sends a WINDOW_UPDATE frame with a flow control window increment of 0 on a stream", open_head, window(1, 0), stream_error(PROTOCOL)
)
short_window = raw(frame("WINDOW_UPDATE", 0, 0, b"\0\0\x01"))
case(S, "Sends a WINDOW_UPDATE frame with a length other than 4 octets", short_window, connection_error(SIZE))

S = "http2/6.9.1"
WHOLE = (1 << 31) - 1
too_large = "Sends multiple WINDOW_UPDATE frames increasing the flow control window to above 2^31-1"
case(
    S, "Sends SETTINGS frame to set the initial window size to 1 and sends HEADERS frame",
    set_to((4, 1)), settings_acknowledged(), head(), one_byte(),
)
case(S, too_large, window(0, WHOLE), window(0, WHOLE), go_away_with(FLOW))
case(S, f"{too_large} on a stream", open_head, window(1, WHOLE), window(1, WHOLE), reset_with(FLOW))

S = "http2/6.9.2"
case(
    S, "Changes SETTINGS_INITIAL_WINDOW_SIZE after sending HEADERS frame",
    set_to((4, 0)), settings_acknowledged(), head(), set_to((4, 1)), one_byte(),
)
case(
    S, "Sends a SETTINGS frame for window size to be negative",
    set_to((4, 3)), settings_acknowledged(), head(), any_data(), set_to((4, 2)), settings_acknowledged(), window(1, 2), one_byte(),
)
case(
    S, "Sends a SETTINGS_INITIAL_WINDOW_SIZE settings with an exceeded maximum window size value",
    set_to((4, 1 << 31)), connection_error(FLOW),
)

S = "http2/6.10"
ended = head(end_headers=False)
case(
    S, "Sends multiple CONTINUATION frames preceded by a HEADERS frame", ended, continuation(end=False), continuation(), answered()
)
case(
    S, "Sends a CONTINUATION frame followed by any frame other than CONTINUATION",
    post(end_headers=False), continuation(end=False), data(), connection_error(PROTOCOL),
)
case(S, "Sends a CONTINUATION frame with 0x0 stream identifier", ended, continuation(0), connection_error(PROTOCOL))
case(
    S, "Sends a CONTINUATION frame preceded by a HEADERS frame with END_HEADERS flag", head(), continuation(), connection_error(PROTOCOL)
)
case(
    S, "Sends a CONTINUATION frame preceded by a CONTINUATION frame with END_HEADERS flag",
    ended, continuation(), continuation(), connection_error(PROTOCOL),
)
case(
    S, "Sends a CONTINUATION frame preceded by a DATA frame",
    post(end_headers=False), data(), continuation(end=False), continuation(0), connection_error(PROTOCOL),
)
