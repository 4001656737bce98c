//! The parser: turns a JSON text (RFC 8259, to the letter) into its tape.
//!
//! It accepts the same texts as `serde_json`, with the same meaning. It does not describe the
//! syntax error of a text that it rejects: `serde_json` has the messages for that, and a rejection
//! need not be fast.

use crate::json::document::{
    member_index::MemberNames,
    number,
    string::Strings,
    tape::{Node, Tape},
};

/// Maximum depth of arrays and objects within each other, as in `serde_json`.
const MAX_DEPTH: u8 = 127;

/// Initial capacity of the tape, for the values of a small document.
const FEW_NODES: usize = 32;

/// Parses a UTF-8 text into its tape and its strings that had escapes. Returns `None` if it is not
/// JSON, is nested too deep or has a number out of range.
pub(super) fn parse(body: &[u8]) -> Option<(Tape, String)> {
    // Positions are stored in 32 bits.
    u32::try_from(body.len()).ok()?;
    let tape = Tape::with_capacity(FEW_NODES);
    let mut parser = Parser { body, at: 0, depth: 0, strings: Strings::new(body), tape };
    parser.value()?;
    match parser.peek() {
        None => Some((parser.tape, parser.strings.into_unescaped()?)),
        Some(_) => None,
    }
}

struct Parser<'b> {
    body: &'b [u8],
    at: usize,
    depth: u8,
    strings: Strings<'b>,
    tape: Tape,
}

impl Parser<'_> {
    /// Returns the next byte that is not white space, without consuming it.
    fn peek(&mut self) -> Option<u8> {
        loop {
            match self.body.get(self.at)? {
                b' ' | b'\n' | b'\t' | b'\r' => self.at += 1,
                byte => return Some(*byte),
            }
        }
    }

    /// Consumes the next byte that is not white space, if it is this one.
    fn take(&mut self, byte: u8) -> Option<()> {
        let found = self.peek()? == byte;
        self.at += usize::from(found);
        found.then_some(())
    }

    fn value(&mut self) -> Option<()> {
        let node = match self.peek()? {
            b'"' => {
                let (text, after) = self.strings.read(self.at + 1)?;
                self.at = after;
                Node::Text(text)
            }
            b'{' => return self.nested(Self::object),
            b'[' => return self.nested(Self::array),
            b'-' | b'0'..=b'9' => {
                let (number, after) = number::read(self.body, self.at)?;
                self.at = after;
                number.into()
            }
            b't' => self.word(b"true", Node::Bool(true))?,
            b'f' => self.word(b"false", Node::Bool(false))?,
            b'n' => self.word(b"null", Node::Null)?,
            _ => return None,
        };
        self.tape.push(node);
        Some(())
    }

    fn word(&mut self, word: &[u8], node: Node) -> Option<Node> {
        let is_there = self.body.get(self.at..)?.starts_with(word);
        self.at += word.len();
        is_there.then_some(node)
    }

    fn nested(&mut self, read: fn(&mut Self) -> Option<()>) -> Option<()> {
        if self.depth == MAX_DEPTH {
            return None;
        }
        self.at += 1;
        self.depth += 1;
        read(self)?;
        self.depth -= 1;
        Some(())
    }

    fn array(&mut self) -> Option<()> {
        let head = self.tape.open();
        let mut items = 0;
        if self.peek()? == b']' {
            self.at += 1;
        } else {
            loop {
                self.value()?;
                items += 1;
                if self.is_over(b']')? {
                    break;
                }
            }
        }
        self.tape.close_array(head, items);
        Some(())
    }

    fn object(&mut self) -> Option<()> {
        let head = self.tape.open();
        let mut names = MemberNames::new(head + 1);
        if self.peek()? == b'}' {
            self.at += 1;
        } else {
            loop {
                self.name(&mut names)?;
                self.value()?;
                if self.is_over(b'}')? {
                    break;
                }
            }
        }
        names.close_object(&mut self.tape, head, self.strings.stores());
        Some(())
    }

    /// Parses the name of a member, and the colon.
    fn name(&mut self, names: &mut MemberNames) -> Option<()> {
        self.take(b'"')?;
        let (name, after) = self.strings.read(self.at)?;
        self.at = after;
        names.add(name, &self.tape, self.strings.stores());
        self.tape.push(Node::Text(name));
        self.take(b':')
    }

    /// Consumes `close` or a comma, and returns whether it was `close`.
    fn is_over(&mut self, close: u8) -> Option<bool> {
        let byte = self.peek()?;
        self.at += 1;
        match byte {
            b',' => Some(false),
            _ => (byte == close).then_some(true),
        }
    }
}
