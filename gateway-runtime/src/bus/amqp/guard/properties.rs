//! Content headers (AMQP 0-9-1 §4.2.6.1). Properties that the client library could not parse are
//! left out, and their absence is marked.
//!
//! The library fails if a short string is not UTF-8, a field has an unknown type, a length exceeds
//! its container, or bytes are left over; and it recurses for each nested table and array. All
//! other properties are retained.

use std::{fmt, str};

use crate::bus::Message;

/// The maximum depth of nested tables and arrays.
const MAX_DEPTH: usize = 32;
/// The maximum number of fields and elements of a table, nested ones included. One takes a byte in
/// a frame and a hundred in memory.
const MAX_FIELDS: usize = 4096;

/// The length of class, weight and body size, which precede the properties, in bytes.
const HEAD: usize = 12;

/// The encoding of a property.
#[derive(Clone, Copy)]
enum Form {
    ShortString,
    Table,
    Octets(usize),
}

/// The properties of the class `basic`, in their order (AMQP 0-9-1 §1.8).
const PROPERTIES: [(&str, Form); 14] = [
    ("content_type", Form::ShortString),
    ("content_encoding", Form::ShortString),
    ("headers", Form::Table),
    ("delivery_mode", Form::Octets(1)),
    ("priority", Form::Octets(1)),
    ("correlation_id", Form::ShortString),
    ("reply_to", Form::ShortString),
    ("expiration", Form::ShortString),
    ("message_id", Form::ShortString),
    ("timestamp", Form::Octets(8)),
    ("type", Form::ShortString),
    ("user_id", Form::ShortString),
    ("app_id", Form::ShortString),
    ("cluster_id", Form::ShortString),
];
/// The index of `headers`.
const HEADERS: usize = 2;

/// The reason for which the library could not parse a content header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Flaw {
    /// A property is not UTF-8.
    Property(&'static str),
    /// The name of a header field is not UTF-8.
    FieldName,
    /// A header field has an unknown type.
    FieldType,
    /// Tables and arrays are nested too deeply.
    Depth,
    /// The number of header fields exceeds [`MAX_FIELDS`].
    Number,
    /// A length exceeds its container, or bytes are left over.
    Length,
    /// The frame is longer than was negotiated.
    Frame,
}

impl fmt::Display for Flaw {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Property(name) => write!(f, "property `{name}` is not UTF-8"),
            Self::FieldName => f.write_str("the name of a header field is not UTF-8"),
            Self::FieldType => f.write_str("a header field has an unknown type"),
            Self::Depth => write!(f, "a header field is nested more than {MAX_DEPTH} levels deep"),
            Self::Number => write!(f, "there are more than {MAX_FIELDS} header fields"),
            Self::Length => f.write_str("a length does not fit"),
            Self::Frame => f.write_str("the header frame is too long"),
        }
    }
}

/// The properties of a content header, encoded.
#[derive(Default)]
struct Properties<'p> {
    /// The properties that can be parsed, by index.
    readable: [Option<&'p [u8]>; PROPERTIES.len()],
    /// The first reason for which others cannot.
    flaw: Option<Flaw>,
}

/// Returns the payload of a content header without the parts that the library could not parse, at
/// most `room` bytes long. None if the payload needs no change.
pub(super) fn mend(payload: &[u8], room: usize) -> Option<Vec<u8>> {
    let (head, rest) = payload.split_at_checked(HEAD)?;
    let (flags, values) = rest.split_first_chunk()?;
    let Properties { mut readable, flaw } = Properties::read(u16::from_be_bytes(*flags), values);
    let mark = mark(flaw.or((payload.len() > room).then_some(Flaw::Frame))?);
    let headers = readable[HEADERS].take().map(|table| &table[4..]).unwrap_or_default();
    let others: usize = readable.iter().flatten().map(|value| value.len()).sum();
    let without = head.len() + flags.len() + 4 + mark.len() + others;
    let headers = if without + headers.len() <= room { headers } else { &[] };
    let size = u32::try_from(headers.len() + mark.len()).unwrap_or(u32::MAX).to_be_bytes();
    // The mark stands last: of fields of the same name the library uses the last.
    let table = [&size, headers, &mark].concat();
    readable[HEADERS] = Some(&table);
    let flags = (0..PROPERTIES.len())
        .filter(|place| readable[*place].is_some())
        .fold(0, |flags, place| flags | bit(place));
    let mut mended = Vec::with_capacity(without + headers.len());
    mended.extend_from_slice(head);
    mended.extend_from_slice(&flags.to_be_bytes());
    readable.iter().flatten().for_each(|value| mended.extend_from_slice(value));
    Some(mended)
}

/// Returns the flag of the property with this index.
const fn bit(place: usize) -> u16 {
    1 << (15 - place)
}

/// Encodes the header field that gives the reason.
fn mark(flaw: Flaw) -> Vec<u8> {
    let name = Message::UNREADABLE.as_bytes();
    let reason = flaw.to_string();
    let name_length = u8::try_from(name.len()).unwrap_or(u8::MAX);
    let length = u32::try_from(reason.len()).unwrap_or(u32::MAX).to_be_bytes();
    [&[name_length][..], name, b"S", &length, reason.as_bytes()].concat()
}

impl<'p> Properties<'p> {
    /// Reads properties up to the first whose length does not fit. The last two flags are ignored,
    /// as by the library.
    fn read(flags: u16, mut rest: &'p [u8]) -> Self {
        let mut this = Self::default();
        for (place, (name, form)) in
            PROPERTIES.iter().enumerate().filter(|(place, _)| flags & bit(*place) != 0)
        {
            let Some(value) = form.take(&mut rest) else {
                this.flaw.get_or_insert(Flaw::Length);
                return this;
            };
            match form.check(name, value) {
                Ok(()) => this.readable[place] = Some(value),
                Err(flaw) => drop(this.flaw.get_or_insert(flaw)),
            }
        }
        if !rest.is_empty() {
            this.flaw.get_or_insert(Flaw::Length);
        }
        this
    }
}

impl Form {
    /// Splits a value, its length included, off the front of `rest`.
    fn take<'p>(self, rest: &mut &'p [u8]) -> Option<&'p [u8]> {
        let length = match self {
            Self::ShortString => 1 + usize::from(*rest.first()?),
            Self::Table => {
                usize::try_from(u32::from_be_bytes(*rest.first_chunk()?)).ok()?.checked_add(4)?
            }
            Self::Octets(length) => length,
        };
        rest.split_off(..length)
    }

    fn check(self, name: &'static str, value: &[u8]) -> Result<(), Flaw> {
        match self {
            Self::ShortString if str::from_utf8(&value[1..]).is_err() => Err(Flaw::Property(name)),
            Self::Table => PropertyReader { left: MAX_FIELDS }.check(&value[4..], true, MAX_DEPTH),
            Self::ShortString | Self::Octets(_) => Ok(()),
        }
    }
}

/// A check of header fields.
struct PropertyReader {
    /// The number of further fields and elements that are allowed.
    left: usize,
}

impl PropertyReader {
    /// Checks the content of a table or an array, in which `depth` more levels may be nested.
    fn check(&mut self, mut rest: &[u8], is_table: bool, depth: usize) -> Result<(), Flaw> {
        while !rest.is_empty() {
            self.left = self.left.checked_sub(1).ok_or(Flaw::Number)?;
            if is_table {
                let name = Form::ShortString.take(&mut rest).ok_or(Flaw::Length)?;
                str::from_utf8(&name[1..]).map_err(|_| Flaw::FieldName)?;
            }
            let kind = *rest.split_off_first().ok_or(Flaw::Length)?;
            // RabbitMQ's field types, as the library parses them.
            let form = match kind {
                b'V' => Form::Octets(0),
                b't' | b'b' | b'B' => Form::Octets(1),
                b's' | b'U' | b'u' => Form::Octets(2),
                b'I' | b'i' | b'f' => Form::Octets(4),
                b'D' => Form::Octets(5),
                b'l' | b'L' | b'd' | b'T' => Form::Octets(8),
                b'S' | b'x' | b'A' | b'F' => Form::Table,
                _ => return Err(Flaw::FieldType),
            };
            let value = form.take(&mut rest).ok_or(Flaw::Length)?;
            if matches!(kind, b'A' | b'F') {
                let depth = depth.checked_sub(1).ok_or(Flaw::Depth)?;
                self.check(&value[4..], kind == b'F', depth)?;
            }
        }
        Ok(())
    }
}
