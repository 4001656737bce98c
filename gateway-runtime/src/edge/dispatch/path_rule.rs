//! The path rule (SEMANTICS §10) for routing, authorisation and forwarding. Dot segments and
//! everything else that two programs could read in two ways is refused; all other paths stay
//! unchanged, byte for byte.

use crate::base::error::{Code, Error};

/// Checks a path.
///
/// # Errors
///
/// `invalid-request` for dot segments in any spelling, backslashes, control characters, encoded
/// slashes, and broken percent-encodings.
pub(crate) fn check(path: &str) -> Result<(), Error> {
    let refuse = |why| Err(Error::new(Code::INVALID_REQUEST, why));
    let mut rest = path.as_bytes();
    let mut segment = Segment::default();
    while let [first, others @ ..] = rest {
        rest = others;
        let byte = match (first, others) {
            (b'%', [high, low, others @ ..]) => {
                rest = others;
                match (hex(*high), hex(*low)) {
                    (Some(high), Some(low)) => Some(high << 4 | low),
                    _ => None,
                }
            }
            (b'%', _) => None,
            _ => Some(*first),
        };
        match byte {
            None => return refuse("the path has a `%` without two hexadecimal digits"),
            Some(b'/') if *first == b'%' => return refuse("the path has an encoded slash"),
            Some(b'\\') => return refuse("the path has a backslash"),
            Some(byte) if byte.is_ascii_control() => {
                return refuse("the path has a control character");
            }
            // Servers in Java remove what follows the semicolon, before they resolve the segment.
            Some(b'/' | b';') if segment.is_dot_segment() => {
                return refuse("the path has a segment `.` or `..`");
            }
            Some(b'/') => segment = Segment::default(),
            Some(byte) => segment.add(byte),
        }
    }
    if segment.is_dot_segment() { refuse("the path has a segment `.` or `..`") } else { Ok(()) }
}

/// The state of a segment that identifies dot segments (RFC 3986 §5.2.4).
#[derive(Default)]
struct Segment {
    length: usize,
    dots: usize,
}

impl Segment {
    fn add(&mut self, byte: u8) {
        self.length += 1;
        self.dots += usize::from(byte == b'.');
    }

    fn is_dot_segment(&self) -> bool {
        matches!(self.length, 1 | 2) && self.dots == self.length
    }
}

fn hex(digit: u8) -> Option<u8> {
    char::from(digit).to_digit(16).and_then(|value| u8::try_from(value).ok())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::check;

    #[test]
    fn paths_with_two_readings_are_refused() {
        for bad in [
            "/a/../b",
            "/a/..",
            "/./a",
            "/a/%2e%2E/b",
            "/a/.%2e",
            "/a/%2e",
            "/a\\b",
            "/a%5cb",
            "/a%2Fb",
            "/a%2fb",
            "/a%",
            "/a%4",
            "/a%zz",
            "/a%00",
            "/a%0d%0ab",
            "/a%7f",
            "/a/..;/b",
            "/a/..;x=1/b",
            "/a/%2e.%3b/b",
            "/.;a",
            "..",
            ".",
        ] {
            assert!(check(bad).is_err(), "{bad}");
        }
        for good in [
            "/",
            "",
            "/a/b",
            "/a//b",
            "/a/",
            "/a/...",
            "/a/..b",
            "/.a",
            "/a.b/c",
            "/%20%C3%BC",
            "/a%25b",
            "/a;b=c,d",
        ] {
            assert!(check(good).is_ok(), "{good}");
        }
    }

    proptest! {
        #[test]
        fn accepted_paths_are_harmless_once_decoded(
            path in "(/|\\.|%2e|%2F|%5C|\\\\|a|%41|%0a|%|[0-9a-f]){0,24}",
        ) {
            if check(&path).is_ok() {
                let decoded: Vec<u8> = percent_encoding::percent_decode_str(&path).collect();
                prop_assert!(!decoded.iter().any(|byte| byte.is_ascii_control() || *byte == b'\\'));
                let slashes = |bytes: &[u8]| bytes.iter().filter(|byte| **byte == b'/').count();
                prop_assert_eq!(slashes(&decoded), slashes(path.as_bytes()));
                let mut segments = decoded.split(|byte| *byte == b'/');
                prop_assert!(!segments.any(|segment| matches!(segment, b"." | b"..")));
            }
        }
    }
}
