//! A chunked body (RFC 9112 §7.1): sizes, extensions, data and trailers.

use crate::edge::http::connection::framing::{
    declared::appended,
    extension::Extension,
    scan::{Input, TOKEN},
    violation::Violation,
};

/// The maximum number of digits of a chunk's size; it may begin with zeros.
const MAX_SIZE_DIGITS: u8 = 32;

/// Maximum number of bytes of all extensions of a body. hyper's own limit is 16 KiB.
const MAX_EXTENSION_BYTES: u32 = 16_000;

/// The limits on the trailers of a body. They are those of a head.
#[derive(Clone, Copy, Debug)]
pub(super) struct TrailerLimits {
    pub(super) bytes: u32,
    pub(super) count: u32,
}

/// The part of a chunked body that the next byte belongs to.
#[derive(Clone, Copy)]
enum Part {
    Size,
    Extension(Extension),
    SizeLf,
    Data,
    DataCr,
    DataLf,
    TrailerStart,
    TrailerName { is_empty: bool },
    TrailerValue,
    TrailerLf,
    LastLf,
}

/// A chunked body, as far as it was read.
pub(super) struct Chunks {
    part: Part,
    /// The size of the chunk so far, then the bytes of its data that are left.
    size: u64,
    digits: u8,
    extension_bytes: u32,
    trailers: TrailerLimits,
}

impl Chunks {
    /// Creates the state in front of a body whose trailers have these limits.
    pub(super) fn new(trailers: TrailerLimits) -> Self {
        Self {
            part: Part::Size,
            size: 0,
            digits: 0,
            extension_bytes: MAX_EXTENSION_BYTES,
            trailers,
        }
    }

    /// Reads bytes of the body, and returns whether it ends.
    ///
    /// # Errors
    ///
    /// Returns a violation; the input then begins with the first byte that violates.
    pub(super) fn read(&mut self, input: &mut Input<'_>) -> Result<bool, Violation> {
        while let Some(next) = input.peek() {
            let before = input.len();
            self.part = match self.part {
                Part::Size => self.read_size(input)?,
                Part::Extension(extension) => {
                    let read = extension.read(input);
                    let used = u32::try_from(before - input.len()).ok();
                    let left = used.and_then(|used| self.extension_bytes.checked_sub(used));
                    self.extension_bytes = left.ok_or(Violation::Chunk)?;
                    read?.map_or(Part::SizeLf, Part::Extension)
                }
                Part::SizeLf => {
                    self.digits = 0;
                    let then = if self.size == 0 { Part::TrailerStart } else { Part::Data };
                    expect(input, b'\n', then, Violation::Chunk)?
                }
                Part::Data => {
                    self.size -= input.skip(self.size);
                    if self.size == 0 { Part::DataCr } else { Part::Data }
                }
                Part::DataCr => expect(input, b'\r', Part::DataLf, Violation::Chunk)?,
                Part::DataLf => expect(input, b'\n', Part::Size, Violation::Chunk)?,
                Part::LastLf => {
                    return expect(input, b'\n', true, Violation::Trailer);
                }
                part => {
                    let part = self.read_trailer(part, input, next)?;
                    self.charge_trailer(before - input.len())?;
                    part
                }
            };
        }
        Ok(false)
    }

    /// Reads bytes of a chunk's size, and the byte behind it.
    fn read_size(&mut self, input: &mut Input<'_>) -> Result<Part, Violation> {
        while let Some(digit) = input.peek().and_then(|byte| char::from(byte).to_digit(16)) {
            let size = appended(self.size, 16, digit.into());
            self.size = size.filter(|_| self.digits < MAX_SIZE_DIGITS).ok_or(Violation::Chunk)?;
            self.digits += 1;
            input.skip(1);
        }
        match input.peek() {
            None => Ok(Part::Size),
            Some(_) if self.digits == 0 => Err(Violation::Chunk),
            Some(b'\r') => {
                input.skip(1);
                Ok(Part::SizeLf)
            }
            Some(_) => Ok(Part::Extension(Extension::Space)),
        }
    }

    /// Reads bytes of a trailer field: `next` and those after it.
    fn read_trailer(
        &mut self,
        part: Part,
        input: &mut Input<'_>,
        next: u8,
    ) -> Result<Part, Violation> {
        match part {
            Part::TrailerStart if next == b'\r' => {
                input.skip(1);
                Ok(Part::LastLf)
            }
            Part::TrailerStart => {
                self.trailers.count =
                    self.trailers.count.checked_sub(1).ok_or(Violation::Trailer)?;
                Ok(Part::TrailerName { is_empty: true })
            }
            Part::TrailerName { is_empty } => {
                let is_empty = input.take(TOKEN).is_empty() && is_empty;
                match input.peek() {
                    None => Ok(Part::TrailerName { is_empty }),
                    Some(b':') if !is_empty => {
                        input.skip(1);
                        Ok(Part::TrailerValue)
                    }
                    Some(_) => Err(Violation::Trailer),
                }
            }
            Part::TrailerValue => {
                input.skip_text();
                match input.peek() {
                    None => Ok(Part::TrailerValue),
                    Some(_) => expect(input, b'\r', Part::TrailerLf, Violation::Trailer),
                }
            }
            _ => expect(input, b'\n', Part::TrailerStart, Violation::Trailer),
        }
    }

    /// Subtracts bytes from those that trailers may still have.
    fn charge_trailer(&mut self, bytes: usize) -> Result<(), Violation> {
        let bytes = u32::try_from(bytes).ok();
        let left = bytes.and_then(|bytes| self.trailers.bytes.checked_sub(bytes));
        self.trailers.bytes = left.ok_or(Violation::Trailer)?;
        Ok(())
    }
}

/// Reads one byte.
fn expect<T>(
    input: &mut Input<'_>,
    byte: u8,
    then: T,
    otherwise: Violation,
) -> Result<T, Violation> {
    if input.skip_byte(byte) { Ok(then) } else { Err(otherwise) }
}
