//! Numbers (RFC 8259, section 6): integers of 64 bits as such, all others as the nearest `f64`.

use super::tape::Node;

/// So many decimal digits fit into 64 bits, whatever they are.
const SAFE_DIGITS: usize = 19;

/// Reads the number that begins at `start`, and tells the place after it. One beyond the range of `f64` is none.
pub(super) fn read(body: &[u8], start: usize) -> Option<(Node, usize)> {
    let is_negative = body.get(start) == Some(&b'-');
    let first = start + usize::from(is_negative);
    let mut magnitude = 0_u64;
    let mut at = first;
    while let Some(digit) = digit(body, at) {
        magnitude = magnitude.wrapping_mul(10).wrapping_add(digit.into());
        at += 1;
    }
    let digits = at - first;
    if digits == 0 || (digits > 1 && body.get(first) == Some(&b'0')) {
        return None;
    }
    let end = fraction_and_exponent(body, at)?;
    if end == at {
        let integer = if digits <= SAFE_DIGITS { Some(magnitude) } else { text(body, first, end)?.parse().ok() };
        if let Some(node) = integer.and_then(|magnitude| whole(is_negative, magnitude)) {
            return Some((node, end));
        }
    }
    let float: f64 = text(body, start, end)?.parse().ok()?;
    float.is_finite().then_some((Node::Float(float), end))
}

/// An integer of 64 bits, if it is one. There is no integer -0: that is a float.
fn whole(is_negative: bool, magnitude: u64) -> Option<Node> {
    if !is_negative {
        return Some(Node::Unsigned(magnitude));
    }
    0_i64.checked_sub_unsigned(magnitude).filter(|signed| *signed != 0).map(Node::Signed)
}

fn digit(body: &[u8], at: usize) -> Option<u8> {
    body.get(at).map(|byte| byte.wrapping_sub(b'0')).filter(|digit| *digit < 10)
}

/// The place after what may follow the digits at the front.
fn fraction_and_exponent(body: &[u8], mut at: usize) -> Option<usize> {
    if body.get(at) == Some(&b'.') {
        at = digits(body, at + 1)?;
    }
    if let Some(b'e' | b'E') = body.get(at) {
        let is_signed = matches!(body.get(at + 1), Some(b'+' | b'-'));
        at = digits(body, at + 1 + usize::from(is_signed))?;
    }
    Some(at)
}

/// The place after the digits, of which there must be one.
fn digits(body: &[u8], start: usize) -> Option<usize> {
    let mut at = start;
    while digit(body, at).is_some() {
        at += 1;
    }
    (at > start).then_some(at)
}

fn text(body: &[u8], start: usize, end: usize) -> Option<&str> {
    std::str::from_utf8(body.get(start..end)?).ok()
}
