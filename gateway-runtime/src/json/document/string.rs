//! Strings (RFC 8259 §7), parsed eight bytes at a time: their ends and their escapes.

use crate::json::document::tape::{TextSpan, TextStore, TextStores};

/// Number of bytes that are examined together.
const WORD: usize = size_of::<u64>();

/// A word with 1 in each byte.
const ONES: u64 = u64::MAX / 0xff;

/// A word with the high bit of each byte set.
const HIGH_BITS: u64 = ONES * 0x80;

/// A parser of the strings of a UTF-8 text.
pub(super) struct Strings<'b> {
    body: &'b [u8],
    /// Strings that had escapes, and then room for those to come: no string is longer unescaped
    /// than escaped.
    unescaped: Vec<u8>,
    filled: usize,
}

impl<'b> Strings<'b> {
    pub(super) fn new(body: &'b [u8]) -> Self {
        Self { body, unescaped: Vec::new(), filled: 0 }
    }

    pub(super) fn stores(&self) -> TextStores<'_> {
        TextStores { body: self.body, unescaped: &self.unescaped }
    }

    /// Returns the strings that had escapes; `None` if they are not UTF-8, which they are when the
    /// body is.
    pub(super) fn into_unescaped(mut self) -> Option<String> {
        self.unescaped.truncate(self.filled);
        String::from_utf8(self.unescaped).ok()
    }

    /// Parses the string that begins at `start`, after the quotation mark, and returns it with the
    /// position after it.
    pub(super) fn read(&mut self, start: usize) -> Option<(TextSpan, usize)> {
        let from = self.body.get(start..)?;
        let plain = plain(from);
        match from.get(plain)? {
            b'"' => Some((TextSpan::new(TextStore::Body, start, plain), start + plain + 1)),
            b'\\' => self.unescape(start, plain),
            _ => None,
        }
    }

    /// Parses the string that begins at `start` and has its first escape after `plain` bytes.
    #[inline(never)]
    fn unescape(&mut self, start: usize, plain: usize) -> Option<(TextSpan, usize)> {
        if self.unescaped.is_empty() {
            // Bytes are copied by whole words, so there is room for one more word.
            self.unescaped = vec![0; self.body.len() - start + WORD];
        }
        let begin = self.filled;
        let (copied, mut from) = self.body.get(start..)?.split_at_checked(plain)?;
        let (copy, mut to) = self.unescaped.get_mut(begin..)?.split_at_mut_checked(plain)?;
        copy.copy_from_slice(copied);
        loop {
            match from {
                [b'"', ..] => break,
                [b'\\', b'u', ..] => {
                    let (character, escape) = code_point(from)?;
                    let len = character.encode_utf8(to).len();
                    from = from.get(escape..)?;
                    to = to.get_mut(len..)?;
                }
                [b'\\', escape, rest @ ..] => {
                    let (place, after) = to.split_first_mut()?;
                    *place = single(*escape)?;
                    from = rest;
                    to = after;
                }
                _ => return None,
            }
            let len = copy_plain(from, to.get_mut(..from.len())?);
            from = from.get(len..)?;
            to = to.get_mut(len..)?;
        }
        let after = self.body.len() - from.len() + 1;
        let room = to.len();
        self.filled = self.unescaped.len() - room;
        Some((TextSpan::new(TextStore::Unescaped, begin, self.filled - begin), after))
    }
}

/// Returns the number of bytes before the first that ends a run of plain ones: a quotation mark, a
/// backslash, or a control character.
fn plain(from: &[u8]) -> usize {
    let (words, rest) = from.as_chunks::<WORD>();
    let mut len = 0;
    for word in words {
        let stops = stops(u64::from_le_bytes(*word));
        if stops != 0 {
            return len + first(stops);
        }
        len += WORD;
    }
    len + last_plain(rest)
}

/// Copies the plain bytes, and maybe some bytes after them; returns the number of plain ones.
#[inline]
fn copy_plain(from: &[u8], to: &mut [u8]) -> usize {
    let mut len = 0;
    for (from, to) in from.as_chunks::<WORD>().0.iter().zip(to.as_chunks_mut::<WORD>().0) {
        *to = *from;
        let stops = stops(u64::from_le_bytes(*from));
        if stops != 0 {
            return len + first(stops);
        }
        len += WORD;
    }
    copy_last_plain(from, to, len)
}

#[cold]
fn last_plain(from: &[u8]) -> usize {
    from.iter().take_while(|byte| !is_stop(**byte)).count()
}

#[cold]
fn copy_last_plain(from: &[u8], to: &mut [u8], len: usize) -> usize {
    let rest = from.get(len..).unwrap_or_default();
    to.iter_mut().skip(len).zip(rest).for_each(|(to, from)| *to = *from);
    len + last_plain(rest)
}

fn is_stop(byte: u8) -> bool {
    matches!(byte, 0..0x20 | b'"' | b'\\')
}

/// Marks, by its high bit, the first byte of `word` that ends a run of plain ones. Bytes after it
/// may be marked wrongly, since the borrow of a subtraction goes up, never down.
fn stops(word: u64) -> u64 {
    // With its second bit flipped, a quotation mark is just above the control characters.
    let control_or_quote = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
    (control_or_quote | backslash) & !word & HIGH_BITS
}

/// Returns the number of bytes before the first marked one.
fn first(stops: u64) -> usize {
    stops.trailing_zeros() as usize / 8
}

/// Returns the character that a backslash and `escape` stand for, if that is one other character.
fn single(escape: u8) -> Option<u8> {
    /// Characters by their escape; zero for a byte that is no escape.
    static ESCAPES: [u8; 256] = {
        let mut escapes = [0; 256];
        let pairs = *b"\"\"\\\\//b\x08f\x0cn\nr\rt\t";
        let mut at = 0;
        while at < pairs.len() {
            escapes[pairs[at] as usize] = pairs[at + 1];
            at += 2;
        }
        escapes
    };
    Some(ESCAPES[usize::from(escape)]).filter(|character| *character != 0)
}

/// Returns the character whose escape is at the front, and the length of the escape. Beyond the
/// basic plane, the escape is a pair of surrogates.
#[inline(never)]
fn code_point(from: &[u8]) -> Option<(char, usize)> {
    let (first, rest) = code_unit(from)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Some((char::from_u32(first)?, 6));
    }
    let low = code_unit(rest)?.0.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    Some((char::from_u32(0x1_0000 + (((first - 0xd800) << 10) | low))?, 12))
}

/// Parses a backslash, a `u` and four hexadecimal digits; returns the code unit and the remaining
/// bytes.
fn code_unit(from: &[u8]) -> Option<(u32, &[u8])> {
    let ([b'\\', b'u', digits @ ..], rest) = from.split_first_chunk::<6>()? else { return None };
    let unit = digits
        .iter()
        .try_fold(0, |unit, digit| Some((unit << 4) | char::from(*digit).to_digit(16)?))?;
    Some((unit, rest))
}
