//! Elements: the values of a document, for readers.

use crate::json::document::{Document, number::Number, tape::Node};

/// A value of a document; as cheap to copy as a reference.
#[derive(Clone, Copy)]
pub(crate) struct Element<'a> {
    document: &'a Document,
    at: u32,
}

/// The kind of an element, with its value.
#[derive(Clone, Copy)]
pub(crate) enum ElementKind<'a> {
    Null,
    Bool(bool),
    Number(Number),
    Text(&'a str),
    Array(Array<'a>),
    Object(Object<'a>),
}

impl<'a> Element<'a> {
    pub(super) fn root(document: &'a Document) -> Self {
        Self { document, at: 0 }
    }

    fn node(self) -> Node {
        self.document.tape.node(self.at)
    }

    #[inline]
    pub(crate) fn kind(self) -> ElementKind<'a> {
        match self.node() {
            Node::Null => ElementKind::Null,
            Node::Bool(truth) => ElementKind::Bool(truth),
            Node::Unsigned(number) => ElementKind::Number(Number::Unsigned(number)),
            Node::Signed(number) => ElementKind::Number(Number::Signed(number)),
            Node::Whole(number) => ElementKind::Number(Number::Whole(number)),
            Node::Negative(number) => ElementKind::Number(Number::Negative(number)),
            Node::Float(number) => ElementKind::Number(Number::Float(number)),
            Node::Rounded(number) => ElementKind::Number(Number::Rounded(number)),
            Node::Text(text) => ElementKind::Text(self.document.text(text)),
            Node::Array { items, .. } => {
                ElementKind::Array(Array { document: self.document, first: self.at + 1, items })
            }
            Node::Object { members, .. } => ElementKind::Object(Object {
                document: self.document,
                first: self.at + 1,
                members,
                is_indexed: false,
            }),
            Node::Indexed { members, index, .. } => ElementKind::Object(Object {
                document: self.document,
                first: index,
                members,
                is_indexed: true,
            }),
        }
    }

    pub(crate) fn is_null(self) -> bool {
        matches!(self.node(), Node::Null)
    }

    pub(crate) fn as_number(self) -> Option<Number> {
        if let ElementKind::Number(number) = self.kind() { Some(number) } else { None }
    }

    /// Returns the number of characters of a text.
    pub(crate) fn char_count(self) -> Option<usize> {
        let Node::Text(text) = self.node() else { return None };
        let text = self.document.text(text);
        // Checking for ASCII is several times faster than counting characters.
        Some(if text.is_ascii() { text.len() } else { text.chars().count() })
    }

    /// Returns a key that distinguishes the element from all others of this and other living
    /// documents.
    pub(crate) fn identity(self) -> (usize, u32) {
        (std::ptr::from_ref(self.document) as usize, self.at)
    }
}

/// The items of an array.
#[derive(Clone, Copy)]
pub(crate) struct Array<'a> {
    document: &'a Document,
    first: u32,
    items: u32,
}

impl<'a> Array<'a> {
    pub(crate) fn len(self) -> usize {
        self.items as usize
    }

    pub(crate) fn iter(self) -> ArrayIter<'a> {
        ArrayIter { document: self.document, next: self.first, left: self.items }
    }
}

/// An iterator over the items of an array.
pub(crate) struct ArrayIter<'a> {
    document: &'a Document,
    next: u32,
    left: u32,
}

impl<'a> Iterator for ArrayIter<'a> {
    type Item = Element<'a>;

    #[inline]
    fn next(&mut self) -> Option<Element<'a>> {
        self.left = self.left.checked_sub(1)?;
        let element = Element { document: self.document, at: self.next };
        self.next = self.document.tape.end(self.next);
        Some(element)
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}

/// The members of an object, each name once.
#[derive(Clone, Copy)]
pub(crate) struct Object<'a> {
    document: &'a Document,
    /// Index of the first member, on the tape or in the order of the tape.
    first: u32,
    members: u32,
    is_indexed: bool,
}

impl<'a> Object<'a> {
    pub(crate) fn len(self) -> usize {
        self.members as usize
    }

    pub(crate) fn iter(self) -> ObjectIter<'a> {
        ObjectIter { object: self, next: self.first, left: self.members }
    }

    /// Returns the value of the member of this name.
    pub(crate) fn get(self, name: &str) -> Option<Element<'a>> {
        if !self.is_indexed {
            return self.iter().find(|(of, _)| *of == name).map(|(_, value)| value);
        }
        let sorted = self.document.tape.sorted(self.first, self.members);
        let found = sorted.binary_search_by(|at| self.document.name(*at).cmp(name)).ok()?;
        Some(Element { document: self.document, at: sorted.get(found)? + 1 })
    }
}

/// An iterator over the members of an object.
pub(crate) struct ObjectIter<'a> {
    object: Object<'a>,
    next: u32,
    left: u32,
}

impl<'a> Iterator for ObjectIter<'a> {
    type Item = (&'a str, Element<'a>);

    #[inline]
    fn next(&mut self) -> Option<(&'a str, Element<'a>)> {
        self.left = self.left.checked_sub(1)?;
        let Object { document, is_indexed, .. } = self.object;
        let name = if is_indexed { document.tape.listed(self.next) } else { self.next };
        self.next = if is_indexed { self.next + 1 } else { document.tape.end(name + 1) };
        Some((document.name(name), Element { document, at: name + 1 }))
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left as usize, Some(self.left as usize))
    }
}
