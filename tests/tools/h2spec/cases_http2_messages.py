"""The cases `http2`, sections 7 and 8: error codes and requests."""

from steps import *

MALFORMED = stream_error("PROTOCOL_ERROR")


def without(*names):
    return lambda request: [field for field in request if field[0] not in names]


def twice(name):
    return lambda request: [*request, *(field for field in request if field[0] == name)]


S = "http2/7"
case(S, "Sends a GOAWAY frame with unknown error code", go_away(0xFF), ping(b"h2spec"), pong_or_closed(b"h2spec"))
case(S, "Sends a RST_STREAM frame with unknown error code", post(), reset(code=0xFF), ping(), pong_or_closed())

case(
    "http2/8.1", "Sends a second HEADERS frame without the END_STREAM flag",
    post(), data(end=False), trailers(("x-test", "ok"), end_stream=False), MALFORMED,
)

CONTAINS = "Sends a HEADERS frame that contains"
case("http2/8.1.2", f"{CONTAINS} the header field name in uppercase letters", head(fields=add(("X-TEST", "ok"))), MALFORMED)

S = "http2/8.1.2.1"
case(S, f"{CONTAINS} a unknown pseudo-header field", head(fields=add((":test", "ok"))), MALFORMED)
case(S, f"{CONTAINS} the pseudo-header field defined for response", head(fields=add((":status", "200"))), MALFORMED)
case(
    S, f"{CONTAINS} a pseudo-header field as trailers",
    post(), data(end=False), trailers((":method", "POST"), end_stream=False), MALFORMED,
)
case(
    S, f"{CONTAINS} a pseudo-header field that appears in a header block after a regular header field",
    head(fields=lambda request: [("x-test", "ok"), *request]), MALFORMED,
)

S = "http2/8.1.2.2"
case(S, f"{CONTAINS} the connection-specific header field", head(fields=add(("connection", "keep-alive"))), MALFORMED)
case(
    S, f'{CONTAINS} the TE header field with any value other than "trailers"',
    head(fields=add(("trailers", "test"), ("te", "trailers, deflate"))), MALFORMED,
)

S = "http2/8.1.2.3"
empty_path = lambda request: [(name, "" if name == ":path" else value) for name, value in request]
case(S, 'Sends a HEADERS frame with empty ":path" pseudo-header field', head(fields=empty_path), MALFORMED)
# h2spec omits `:scheme` too.
case(S, 'Sends a HEADERS frame that omits ":method" pseudo-header field', head(fields=without(":method", ":scheme")), MALFORMED)
for name in (":scheme", ":path"):
    case(S, f'Sends a HEADERS frame that omits "{name}" pseudo-header field', head(fields=without(name)), MALFORMED)
for name in (":method", ":scheme", ":path"):
    case(S, f'Sends a HEADERS frame with duplicated "{name}" pseudo-header field', head(fields=twice(name)), MALFORMED)

S = "http2/8.1.2.6"
LENGTH = 'Sends a HEADERS frame with the "content-length" header field which does not equal the'
declared = post(fields=add(("content-length", "1")))
case(S, f"{LENGTH} DATA frame payload length", declared, data(), MALFORMED)
case(S, f"{LENGTH} sum of the multiple DATA frames payload length", declared, data(end=False), data(), MALFORMED)

case("http2/8.2", "Sends a PUSH_PROMISE frame", push_promise(), connection_error("PROTOCOL_ERROR"))
