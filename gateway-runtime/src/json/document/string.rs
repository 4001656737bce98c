//! Strings (RFC 8259, section 7), eight bytes at a time: where one ends, and what its escapes stand for.

use crate::json::document::tape::{TextSpan, TextStore, TextStores};

/// Bytes that are looked at together.
const WORD: usize = size_of::<u64>();

/// One in each byte.
const ONES: u64 = u64::MAX / 0xff;

/// The high bit of each byte.
const HIGH_BITS: u64 = ONES * 0x80;

/// Reads the strings of a text that is UTF-8.
pub(super) struct Strings<'b> {
    body: &'b [u8],
    /// The strings that had escapes, and then room for those to come: nothing is longer unescaped than escaped.
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

    /// The strings that had escapes; none if this is not UTF-8, which it is when the body was.
    pub(super) fn into_unescaped(mut self) -> Option<String> {
        self.unescaped.truncate(self.filled);
        String::from_utf8(self.unescaped).ok()
    }

    /// Reads the string that begins at `start`, after the quotation mark, and tells the place after it.
    pub(super) fn read(&mut self, start: usize) -> Option<(TextSpan, usize)> {
        let from = self.body.get(start..)?;
        let plain = plain(from);
        match from.get(plain)? {
            b'"' => Some((TextSpan::new(TextStore::Body, start, plain), start + plain + 1)),
            b'\\' => self.unescape(start, plain),
            _ => None,
        }
    }

    /// Reads the string that begins at `start` and has its first escape after as many `plain` bytes.
    #[inline(never)]
    fn unescape(&mut self, start: usize, plain: usize) -> Option<(TextSpan, usize)> {
        if self.unescaped.is_empty() {
            // What is copied is copied by whole words, so that there is room for one more.
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
        let (after, room) = (self.body.len() - from.len() + 1, to.len());
        self.filled = self.unescaped.len() - room;
        Some((TextSpan::new(TextStore::Unescaped, begin, self.filled - begin), after))
    }
}

/// How many bytes are plain, up to the first that ends a run of them: a quotation mark, a backslash, a control
/// character.
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

/// The same, and copies them, and maybe some bytes after them.
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

/// Marks, by its high bit, the first byte of `word` that ends a run of plain ones. Bytes after it may be marked wrongly:
/// the borrow of a subtraction goes up, never down.
fn stops(word: u64) -> u64 {
    // With its second bit turned, a quotation mark is just above the control characters.
    let control_or_quote = (word ^ (ONES * 0x02)).wrapping_sub(ONES * 0x21);
    let backslash = (word ^ (ONES * 0x5c)).wrapping_sub(ONES);
    (control_or_quote | backslash) & !word & HIGH_BITS
}

/// How many bytes are before the first marked one.
fn first(stops: u64) -> usize {
    stops.trailing_zeros() as usize / 8
}

/// What a backslash and a character stand for, where that is one other character.
fn single(escape: u8) -> Option<u8> {
    /// Zero for what is no escape.
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

/// The character whose escape is here, and how long that is; beyond the basic plane, it is a pair of surrogates.
#[inline(never)]
fn code_point(from: &[u8]) -> Option<(char, usize)> {
    let (first, rest) = code_unit(from)?;
    if !(0xd800..0xdc00).contains(&first) {
        return Some((char::from_u32(first)?, 6));
    }
    let low = code_unit(rest)?.0.checked_sub(0xdc00).filter(|low| *low < 0x400)?;
    Some((char::from_u32(0x1_0000 + (((first - 0xd800) << 10) | low))?, 12))
}

/// A backslash, a `u` and four hexadecimal digits, and what follows.
fn code_unit(from: &[u8]) -> Option<(u32, &[u8])> {
    let ([b'\\', b'u', digits @ ..], rest) = from.split_first_chunk::<6>()? else { return None };
    let unit = digits
        .iter()
        .try_fold(0, |unit, digit| Some((unit << 4) | char::from(*digit).to_digit(16)?))?;
    Some((unit, rest))
}
