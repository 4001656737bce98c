"""The cases `hpack`: header blocks that cannot be decoded (RFC 7541)."""

from steps import *

BROKEN = connection_error("COMPRESSION_ERROR")

S = "hpack/2.3.3"
case(S, "Sends a indexed header field representation with invalid index", head(after=b"\xc6"), BROKEN)
case(S, "Sends a literal header field representation with invalid index", head(after=b"\x7f\x07\x00"), BROKEN)

case("hpack/4.2", "Sends a dynamic table size update at the end of header block", head(after=b"\x21"), BROKEN)

S = "hpack/5.2"
NAME = b"\x00\x85\xf2\xb2\x4a\x84\xff"  # x-test, without indexing
long_padding = head(after=NAME + b"\x84\x49\x50\x9f\xff")
padded_by_zero = head(after=NAME + b"\x83\x49\x50\x90")
end_of_string = head(after=NAME + b"\x87\x49\x51\xff\xff\xff\xfa\x7f")
case(S, "Sends a Huffman-encoded string literal representation with padding longer than 7 bits", long_padding, BROKEN)
case(S, "Sends a Huffman-encoded string literal representation padded by zero", padded_by_zero, BROKEN)
case(S, "Sends a Huffman-encoded string literal representation containing the EOS symbol", end_of_string, BROKEN)

case("hpack/6.1", "Sends a indexed header field representation with index 0", head(after=b"\x80"), BROKEN)


def larger_than_announced(connection):
    size = connection.settings.get(1, 4096) + 1 - 31
    update = bytearray(b"\x3f")
    while size >= 128:
        update.append(0x80 | size & 0x7F)
        size >>= 7
    head(before=bytes([*update, size]))(connection)


case(
    "hpack/6.3", "Sends a dynamic table size update larger than the value of SETTINGS_HEADER_TABLE_SIZE", larger_than_announced, BROKEN
)
