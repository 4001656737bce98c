"""The cases `generic`: what every server accepts."""

from steps import *

SELF_DEFINED = b"\x06x-test\x06h2spec"
SELF_DEFINED_HUFFMAN = b"\x85\xf2\xb2\x4a\x84\xff\x84\x9c\x48\xac\xa4"
USER_AGENT = b"\x0auser-agent\x06h2spec"
USER_AGENT_HUFFMAN = b"\x87\xb5\x05\xb1\x61\xcc\x5a\x93\x84\x9c\x48\xac\xa4"
NO_WINDOW = set_to((4, 0))

case("generic/1", "Sends a client connection preface", preface(), next_is_settings, handshake=False)

S = "generic/2"
case(S, "Sends a PRIORITY frame on idle stream", priority(), ping(), pong())
case(S, "Sends a WINDOW_UPDATE frame on half-closed (remote) stream", NO_WINDOW, head(), window(1, 1), any_data())
case(S, "Sends a PRIORITY frame on half-closed (remote) stream", NO_WINDOW, head(), priority(), window(1, 1), any_data())
case(S, "Sends a RST_STREAM frame on half-closed (remote) stream", head(), reset(), ping(), pong_or_closed())
case(S, "Sends a PRIORITY frame on closed stream", head(), stream_ends(), priority(), ping(), pong())

S = "generic/3.1"
case(S, "Sends a DATA frame", post(), data(), answered())
case(S, "Sends multiple DATA frames", post(), data(end=False), data(), answered())
padded = frame("DATA", END_STREAM | PADDED, 1, b"\x05test" + bytes(5))
case(S, "Sends a DATA frame with padding", post(), raw(padded), answered())

S = "generic/3.2"
case(S, "Sends a HEADERS frame", head(), answered())
case(S, "Sends a HEADERS frame with padding", head(pad=8), answered())
case(S, "Sends a HEADERS frame with priority", head(priority=depends()), answered())

S = "generic/3.3"
case(S, "Sends a PRIORITY frame with priority 1", priority(weight=0), head(), answered())
case(S, "Sends a PRIORITY frame with priority 256", priority(weight=255), head(), answered())
case(S, "Sends a PRIORITY frame with stream dependency", priority(3, on=1, weight=0), head(), answered())
case(S, "Sends a PRIORITY frame with exclusive", priority(exclusive=True, weight=0), head(), answered())
case(
    S, "Sends a PRIORITY frame for an idle stream, then send a HEADER frame for a lower stream ID", priority(3), head(), answered()
)

case("generic/3.4", "Sends a RST_STREAM frame", head(end_stream=False), reset(), ping(), pong_or_closed())
all_settings = set_to((1, 4096), (2, 1), (3, 100), (4, 65535), (5, 16384), (6, 100))
case("generic/3.5", "Sends a SETTINGS frame", all_settings, settings_acknowledged())
case("generic/3.7", "Sends a PING frame", ping(b"h2spec"), pong(b"h2spec"))
case("generic/3.8", "Sends a GOAWAY frame", go_away(text=b"h2spec"), ping(b"h2spec"), pong_or_closed(b"h2spec"))

S = "generic/3.9"
case(S, "Sends a WINDOW_UPDATE frame with stream ID 0", window(0, 1), ping(), pong())
case(S, "Sends a WINDOW_UPDATE frame with stream ID 1", head(), window(1, 1), answered())

S = "generic/3.10"
begun = head(end_headers=False, cut=5)
case(S, "Sends a CONTINUATION frame", begun, rest_of_block(5), answered())
case(S, "Sends multiple CONTINUATION frames", begun, rest_of_block(5, 10), rest_of_block(10), answered())

S = "generic/4"
case(S, "Sends a GET request", head(), answered())
case(S, "Sends a HEAD request", head(method="HEAD"), answered())
case(S, "Sends a POST request", post(), data(), answered())
with_trailers = post(fields=add(("trailer", "x-test")))
case(S, "Sends a POST request with trailers", with_trailers, data(end=False), trailers(("x-test", "ok")), answered())

S = "generic/5"
case(S, "Sends a indexed header field representation", head(after=b"\xba"), answered())
CODED, ENCODED = " (with Huffman coding)", " (huffman encoded)"
for kind, first, suffixes in [
    ("with incremental indexing", b"\x40", (CODED, CODED)),
    ("without indexing", b"\x00", (CODED, ENCODED)),
    ("never indexed", b"\x10", (ENCODED, ENCODED)),
]:
    name = f"Sends a literal header field {kind} -"
    case(S, f"{name} indexed name", head(after=first + USER_AGENT), answered())
    case(S, f"{name} indexed name{suffixes[0]}", head(after=first + USER_AGENT_HUFFMAN), answered())
    case(S, f"{name} new name", head(after=first + SELF_DEFINED), answered())
    case(S, f"{name} new name{suffixes[1]}", head(after=first + SELF_DEFINED_HUFFMAN), answered())
# An update to 128, then those to 128 and to 4096.
case(S, "Sends a dynamic table size update", head(before=b"\x3f\x61"), answered())
case(S, "Sends multiple dynamic table size update", head(before=b"\x3f\x61\x3f\xe1\x1f"), answered())
