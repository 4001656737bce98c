//! Methods (AMQP 0-9-1 §1.8): invalid UTF-8 in short strings, which the client library rejects, is
//! replaced.
//!
//! Publishers choose routing keys, clients with the permission choose names of exchanges, and the
//! broker truncates its texts at a number of bytes. Each invalid byte becomes a question mark, so
//! no length changes.

/// The length of class id and method id, in bytes.
const ID: usize = 4;

/// Returns the number of bytes before each short string that others than the broker and the gateway
/// can choose.
fn short_strings(class: u8, method: u8) -> &'static [usize] {
    match (class, method) {
        // connection.close and channel.close: the code; the text.
        (10, 50) | (20, 40) => &[2],
        // connection.blocked: the reason.
        (10, 60) => &[0],
        // basic.return: the code; the text, the exchange, the routing key.
        (60, 50) => &[2, 0, 0],
        // basic.deliver: the consumer tag; the delivery tag and the flags; the exchange, the
        // routing key.
        (60, 60) => &[0, 9, 0],
        // basic.get-ok: the delivery tag and the flags; the exchange, the routing key.
        (60, 71) => &[9, 0],
        _ => &[],
    }
}

/// Replaces invalid UTF-8 in the payload of a method frame.
pub(super) fn make_utf8(payload: &mut [u8]) {
    let Some((&mut [0, class, 0, method], mut rest)) = payload.split_first_chunk_mut::<ID>() else {
        return;
    };
    for skipped in short_strings(class, method) {
        let Some((_, string)) = rest.split_at_mut_checked(*skipped) else { return };
        let Some((length, string)) = string.split_first_mut() else { return };
        let Some((text, after)) = string.split_at_mut_checked(usize::from(*length)) else { return };
        make_text_utf8(text);
        rest = after;
    }
}

fn make_text_utf8(text: &mut [u8]) {
    let mut done = 0;
    while let Err(error) = std::str::from_utf8(&text[done..]) {
        done += error.valid_up_to();
        text[done] = b'?';
        done += 1;
    }
}

/// Returns the frame size that the broker proposes in connection.tune, in bytes. None if it sets no
/// limit, or this is another method.
pub(super) fn frame_max(payload: &[u8]) -> Option<usize> {
    let &[0, 10, 0, 30, _, _, a, b, c, d, ..] = payload else { return None };
    usize::try_from(u32::from_be_bytes([a, b, c, d])).ok().filter(|frame_max| *frame_max > 0)
}
