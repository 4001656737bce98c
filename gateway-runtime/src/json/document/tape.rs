//! The tape: the values of a document one after another, in the order of its text, without pointers
//! between them.
//!
//! An array is followed by its items, an object by a name and a value for each member, and both
//! hold the index of their end. So a whole document is one allocation, and its parts are found by
//! walking.

use crate::json::document::number::Number;

/// A value on the tape, or the name of a member.
#[derive(Clone, Copy, Debug)]
pub(super) enum Node {
    Null,
    Bool(bool),
    // The numbers are flat, since a `Number` within would make the node larger.
    Unsigned(u64),
    Signed(i64),
    Whole(u64),
    Negative(i64),
    Float(f64),
    Rounded(f64),
    Text(TextSpan),
    /// An array; `end` is the index after its last item.
    Array {
        items: u32,
        end: u32,
    },
    /// An object; `end` is the index after its last member.
    Object {
        members: u32,
        end: u32,
    },
    /// An object whose members are listed twice at `index` of [`Tape::order`]: as they come, and
    /// sorted by name.
    Indexed {
        members: u32,
        end: u32,
        index: u32,
    },
}

// A document of 1 MiB can have half a million values.
const _: () = assert!(size_of::<Node>() == 16);

impl From<Number> for Node {
    fn from(number: Number) -> Self {
        match number {
            Number::Unsigned(number) => Self::Unsigned(number),
            Number::Signed(number) => Self::Signed(number),
            Number::Whole(number) => Self::Whole(number),
            Number::Negative(number) => Self::Negative(number),
            Number::Float(number) => Self::Float(number),
            Number::Rounded(number) => Self::Rounded(number),
        }
    }
}

/// The place of a text: a store, and a range in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct TextSpan {
    pub(super) start: u32,
    /// Length, in bytes.
    pub(super) len: u32,
    pub(super) store: TextStore,
}

/// The store of a text.
#[derive(Clone, Copy, Debug)]
pub(super) enum TextStore {
    /// The text of the document itself.
    Body,
    /// The buffer of unescaped texts, for a text with escapes.
    Unescaped,
}

/// The stores of the texts of a tape.
#[derive(Clone, Copy)]
pub(super) struct TextStores<'a> {
    pub(super) body: &'a [u8],
    pub(super) unescaped: &'a [u8],
}

impl<'a> TextStores<'a> {
    pub(super) fn bytes(self, text: TextSpan) -> &'a [u8] {
        let store = match text.store {
            TextStore::Body => self.body,
            TextStore::Unescaped => self.unescaped,
        };
        store.get(text.range()).unwrap_or_default()
    }
}

impl TextSpan {
    /// Creates the span of a text, in a store whose size fits 32 bits.
    #[expect(clippy::cast_possible_truncation, reason = "no larger text becomes a document")]
    pub(super) fn new(store: TextStore, start: usize, len: usize) -> Self {
        Self { start: start as u32, len: len as u32, store }
    }

    pub(super) fn range(self) -> std::ops::Range<usize> {
        self.start as usize..self.start as usize + self.len as usize
    }
}

/// The values of a document.
#[derive(Clone, Debug, Default)]
pub(super) struct Tape {
    nodes: Vec<Node>,
    /// Indexes of the names of objects with many members, or with one name twice.
    order: Vec<u32>,
}

/// The indexes of the names of an object's members, each name once.
pub(super) struct MemberIndex {
    /// The indexes in the order of the first places.
    pub(super) as_they_come: Vec<u32>,
    /// The indexes sorted by name.
    pub(super) by_name: Vec<u32>,
}

/// Maximum number of members that are searched one after another.
pub(super) const FEW_MEMBERS: u32 = 16;

impl Tape {
    pub(super) fn with_capacity(nodes: usize) -> Self {
        Self { nodes: Vec::with_capacity(nodes), order: Vec::new() }
    }

    /// Returns the value at `index`; an empty tape is null.
    pub(super) fn node(&self, index: u32) -> Node {
        self.nodes.get(index as usize).copied().unwrap_or(Node::Null)
    }

    /// Returns the index after the value at `index`.
    pub(super) fn end(&self, index: u32) -> u32 {
        match self.node(index) {
            Node::Array { end, .. } | Node::Object { end, .. } | Node::Indexed { end, .. } => end,
            _ => index + 1,
        }
    }

    /// Returns the index of the name that the order lists at `position`.
    pub(super) fn listed(&self, position: u32) -> u32 {
        self.order.get(position as usize).copied().unwrap_or(u32::MAX)
    }

    /// Returns the indexes of the names of an indexed object, sorted by name.
    pub(super) fn sorted(&self, index: u32, members: u32) -> &[u32] {
        let start = (index + members) as usize;
        self.order.get(start..start + members as usize).unwrap_or_default()
    }

    #[expect(
        clippy::cast_possible_truncation,
        reason = "there are fewer nodes than bytes, of which 32 bits count all"
    )]
    fn len(&self) -> u32 {
        self.nodes.len() as u32
    }

    pub(super) fn push(&mut self, node: Node) {
        self.nodes.push(node);
    }

    /// Begins an array or an object, and returns its index.
    pub(super) fn open(&mut self) -> u32 {
        let head = self.len();
        self.push(Node::Null);
        head
    }

    pub(super) fn close_array(&mut self, head: u32, items: u32) {
        let end = self.len();
        self.close(head, Node::Array { items, end });
    }

    /// Ends an object of `members` members, few enough to be searched one after another, each with
    /// a name of its own.
    pub(super) fn close_plain_object(&mut self, head: u32, members: u32) {
        let end = self.len();
        self.close(head, Node::Object { members, end });
    }

    /// Ends an object whose members are listed in an index.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "there are two entries for a member, which has two nodes"
    )]
    pub(super) fn close_indexed_object(&mut self, head: u32, members: MemberIndex) {
        let MemberIndex { as_they_come, by_name } = members;
        let end = self.len();
        let index = self.order.len() as u32;
        let members = by_name.len() as u32;
        self.order.extend(as_they_come);
        self.order.extend(by_name);
        self.close(head, Node::Indexed { members, end, index });
    }

    fn close(&mut self, head: u32, node: Node) {
        if let Some(slot) = self.nodes.get_mut(head as usize) {
            *slot = node;
        }
    }
}
