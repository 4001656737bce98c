//! Scanning of bytes: the classes of RFC 9110 §5.5 and §5.6, and a cursor over the bytes of a read.

/// The bytes of a token (RFC 9110 §5.6.2).
pub(super) const TOKEN: u8 = 1;
/// The bytes of a quoted string without its escapes (RFC 9110 §5.6.4).
pub(super) const QUOTED: u8 = 2;
/// Optional whitespace (RFC 9110 §5.6.3).
pub(super) const SPACE: u8 = 4;

/// The classes of each byte.
static CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        classes[byte] = classes_of(byte as u8);
        byte += 1;
    }
    classes
};

const fn classes_of(byte: u8) -> u8 {
    let mut classes = 0;
    let is_mark = matches!(byte, b'!' | b'#'..=b'\'' | b'*' | b'+' | b'-' | b'.')
        || matches!(byte, b'^'..=b'`' | b'|' | b'~');
    if is_mark || byte.is_ascii_alphanumeric() {
        classes |= TOKEN;
    }
    if is_text(byte) && !matches!(byte, b'"' | b'\\') {
        classes |= QUOTED;
    }
    if matches!(byte, b' ' | b'\t') {
        classes |= SPACE;
    }
    classes
}

/// Returns whether a byte may stand in the value of a field (RFC 9110 §5.5).
pub(super) const fn is_text(byte: u8) -> bool {
    byte == b'\t' || byte >= b' ' && byte != DEL
}

/// The last control byte.
const DEL: u8 = 0x7f;

/// A cursor over the bytes of one read.
pub(super) struct Input<'b> {
    rest: &'b [u8],
}

impl<'b> Input<'b> {
    pub(super) fn new(bytes: &'b [u8]) -> Self {
        Self { rest: bytes }
    }

    /// Returns the number of bytes that are left.
    pub(super) fn len(&self) -> usize {
        self.rest.len()
    }

    /// Returns the next byte.
    pub(super) fn peek(&self) -> Option<u8> {
        self.rest.first().copied()
    }

    /// Skips at most `count` bytes, and returns their number.
    pub(super) fn skip(&mut self, count: u64) -> u64 {
        let skipped = usize::try_from(count).unwrap_or(usize::MAX).min(self.rest.len());
        self.rest = &self.rest[skipped..];
        skipped as u64
    }

    /// Skips the next byte if it is this one, and returns whether it was.
    pub(super) fn skip_byte(&mut self, byte: u8) -> bool {
        let [first, rest @ ..] = self.rest else { return false };
        if *first == byte {
            self.rest = rest;
        }
        *first == byte
    }

    /// Skips these bytes if they come next, and returns whether they do.
    #[inline]
    pub(super) fn skip_all(&mut self, bytes: &[u8]) -> bool {
        let rest = self.rest.strip_prefix(bytes);
        self.rest = rest.unwrap_or(self.rest);
        rest.is_some()
    }

    /// Takes the bytes of a class that come next.
    #[inline]
    pub(super) fn take(&mut self, class: u8) -> &'b [u8] {
        let is_other = |&byte: &u8| CLASSES[usize::from(byte)] & class == 0;
        let length = self.rest.iter().position(is_other).unwrap_or(self.rest.len());
        let (taken, rest) = self.rest.split_at(length);
        self.rest = rest;
        taken
    }

    /// Skips the bytes of a field's value.
    pub(super) fn skip_text(&mut self) {
        loop {
            let length = plain_length::<b' ', DEL>(self.rest);
            self.rest = &self.rest[length..];
            if !self.skip_byte(b'\t') {
                return;
            }
        }
    }

    /// Skips the bytes of a request target, which has no fragment.
    pub(super) fn skip_target(&mut self) {
        self.rest = &self.rest[plain_length::<b'!', b'#'>(self.rest)..];
    }
}

/// Returns the number of bytes in front of the first one that is less than `LEAST`, is DEL or is
/// `OTHER`. Eight bytes are compared at once.
#[inline]
fn plain_length<const LEAST: u8, const OTHER: u8>(bytes: &[u8]) -> usize {
    const ONES: u64 = u64::from_ne_bytes([1; 8]);
    const HIGH: u64 = ONES << 7;
    // The high bit of a byte is set by the first subtraction if the byte is less than `LEAST`, by
    // the others if it is DEL or `OTHER`. A borrow falsifies later bytes alone.
    let special = |word: u64| {
        let control = word.wrapping_sub(ONES * u64::from(LEAST));
        let del = (word ^ (ONES * u64::from(DEL))).wrapping_sub(ONES);
        let other = (word ^ (ONES * u64::from(OTHER))).wrapping_sub(ONES);
        (control | del | other) & !word & HIGH
    };
    let mut length = 0;
    let mut rest = bytes;
    while let Some((word, after)) = rest.split_first_chunk::<8>() {
        let found = special(u64::from_le_bytes(*word));
        if found != 0 {
            return length + found.trailing_zeros() as usize / 8;
        }
        length += 8;
        rest = after;
    }
    let is_found = |&byte: &u8| byte < LEAST || byte == DEL || byte == OTHER;
    length + rest.iter().position(is_found).unwrap_or(rest.len())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn plain_length_finds_each_special_byte_at_each_place() {
        for special in 0..=255 {
            for place in 0..20 {
                let mut bytes = [b'a'; 24];
                bytes[place] = special;
                bytes[place + 1] = 0x80;
                bytes[place + 2] = b'\n';
                let expected = |is_found: bool| if is_found { place } else { place + 2 };
                let text = plain_length::<b' ', DEL>(&bytes);
                assert_eq!(text, expected(special < b' ' || special == DEL), "{special}");
                let target = plain_length::<b'!', b'#'>(&bytes);
                let ends = special <= b' ' || special == DEL || special == b'#';
                assert_eq!(target, expected(ends), "{special}");
            }
        }
        assert_eq!(plain_length::<b' ', DEL>(b"aaaaaaaaaaa"), 11);
    }

    #[test]
    fn token_has_the_bytes_of_the_rfc() {
        let tokens: Vec<u8> = (0..=255).filter(|&byte| classes_of(byte) & TOKEN != 0).collect();
        let alphanumerics = (0..=255).filter(u8::is_ascii_alphanumeric);
        let mut expected: Vec<u8> =
            b"!#$%&'*+-.^_`|~".iter().copied().chain(alphanumerics).collect();
        expected.sort_unstable();
        assert_eq!(tokens, expected);
    }
}
