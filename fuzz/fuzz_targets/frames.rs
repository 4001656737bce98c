//! Content headers from a broker: whatever their bytes are, the client library can parse the
//! rewritten header, and a header that it could parse before is unchanged.
#![no_main]

use amq_protocol::frame::{AMQPFrame, parse_frame};
use gateway_runtime::bus::filtered_frames;
use libfuzzer_sys::fuzz_target;

/// A content header of the class `basic`, without flags and properties.
const HEAD: [u8; 12] = [0, 60, 0, 0, 0, 0, 0, 0, 0, 0, 0, 4];
/// The maximum nesting of tables that the library's parser is tested with.
const SHALLOW: usize = 100;

fn frame(kind: u8, payload: &[u8]) -> Vec<u8> {
    let size = u32::try_from(payload.len()).expect("short").to_be_bytes();
    [&[kind, 0, 1], &size[..], payload, &[0xCE]].concat()
}

fuzz_target!(|input: (u8, u16, &[u8])| {
    let (piece, flags, values) = input;
    let header = frame(2, &[&HEAD[..], &flags.to_be_bytes(), values].concat());
    let frames = [&header[..], &frame(3, b"body"), &frame(1, values)].concat();
    let filtered = filtered_frames(&frames, usize::MAX);
    assert_eq!(filtered, filtered_frames(&frames, usize::from(piece)));
    let (rest, read) = parse_frame(&filtered[..]).expect("a content header");
    let (_, body) = parse_frame(rest).expect("a body");
    assert_eq!(body, AMQPFrame::Body(1, b"body".to_vec()));
    if values.len() < 5 * SHALLOW
        && let Ok((_, original)) = parse_frame(&header[..])
    {
        // NaN is not equal to itself, so the texts are compared.
        assert_eq!(format!("{original:?}"), format!("{read:?}"));
    }
});
