//! The instance of JSON Schema: a document in the form in which the validator reads it.

use std::borrow::Cow;

use jsonschema::{
    JsonType,
    json::{self, Json, JsonNumber, Node, NodeIdentity, cmp, unique},
};
use serde_json::Value;

use crate::json::document::{
    Array, ArrayIter, Document, Element, ElementKind, Number, Object, ObjectIter,
};

/// The representation whose nodes are elements of a [`Document`].
#[derive(Debug)]
pub(super) struct Instance;

impl Json for Instance {
    type Node<'a> = Element<'a>;
    type PreparedKey = String;
    type StringBuffer = Document;

    /// A look-up too goes through the members, where they are few.
    const KEYS_PER_LOOKUP: usize = 8;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(
        buffer: &mut Document,
        string: &str,
        f: impl FnOnce(Element<'_>) -> T,
    ) -> T {
        *buffer = Document::of_text(string);
        f(buffer.root())
    }
}

impl<'a> Node<'a, Instance> for Element<'a> {
    type Object = Object<'a>;
    type Array = Array<'a>;
    type Number = Number;

    fn as_object(&self) -> Option<Object<'a>> {
        if let ElementKind::Object(object) = self.kind() { Some(object) } else { None }
    }

    fn as_array(&self) -> Option<Array<'a>> {
        if let ElementKind::Array(array) = self.kind() { Some(array) } else { None }
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        if let ElementKind::Text(text) = self.kind() { Some(Cow::Borrowed(text)) } else { None }
    }

    fn as_number(&self) -> Option<Number> {
        Element::as_number(*self)
    }

    fn as_boolean(&self) -> Option<bool> {
        if let ElementKind::Bool(truth) = self.kind() { Some(truth) } else { None }
    }

    fn is_null(&self) -> bool {
        Element::is_null(*self)
    }

    fn json_type(&self) -> JsonType {
        match self.kind() {
            ElementKind::Null => JsonType::Null,
            ElementKind::Bool(_) => JsonType::Boolean,
            ElementKind::Number(_) => JsonType::Number,
            ElementKind::Text(_) => JsonType::String,
            ElementKind::Array(_) => JsonType::Array,
            ElementKind::Object(_) => JsonType::Object,
        }
    }

    fn string_length(&self) -> Option<u64> {
        self.char_count().map(|count| count as u64)
    }

    fn equals_value(&self, expected: &Value) -> bool {
        match (self.kind(), expected) {
            (ElementKind::Text(text), Value::String(expected)) => text == expected,
            (ElementKind::Array(array), Value::Array(expected)) => {
                array.len() == expected.len()
                    && array.iter().zip(expected).all(|(a, b)| a.equals_value(b))
            }
            (ElementKind::Object(object), Value::Object(expected)) => {
                let equal = |(name, a): (&str, Element<'_>)| {
                    expected.get(name).is_some_and(|b| a.equals_value(b))
                };
                object.len() == expected.len() && object.iter().all(equal)
            }
            // A rounded number equals no number that a schema can hold.
            (
                ElementKind::Text(_)
                | ElementKind::Array(_)
                | ElementKind::Object(_)
                | ElementKind::Number(Number::Rounded(_)),
                _,
            ) => false,
            _ => cmp::equal(&self.to_value_of_integers(), expected),
        }
    }

    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Owned(Element::to_value(*self))
    }

    fn identity(&self) -> Option<NodeIdentity> {
        let (document, at) = Element::identity(*self);
        Some(NodeIdentity::tagged(document, at))
    }
}

impl<'a> json::Object<'a, Instance> for Object<'a> {
    type Node = Element<'a>;
    type MemberName = &'a str;
    type MembersIter = ObjectIter<'a>;

    fn len(&self) -> usize {
        Object::len(*self)
    }

    fn get(&self, key: &String) -> Option<Element<'a>> {
        Object::get(*self, key)
    }

    fn members(&self) -> ObjectIter<'a> {
        self.iter()
    }
}

impl<'a> json::Array<'a, Instance> for Array<'a> {
    type Node = Element<'a>;
    type ElementsIter = ArrayIter<'a>;

    fn len(&self) -> usize {
        Array::len(*self)
    }

    fn elements(&self) -> ArrayIter<'a> {
        self.iter()
    }

    fn is_unique(&self) -> bool {
        is_unique(*self)
    }
}

/// Returns whether no two items are equal; numbers are compared exactly.
pub(super) fn is_unique(array: Array<'_>) -> bool {
    unique::is_unique(&array.iter().map(Element::to_value_of_integers).collect::<Vec<_>>())
}

impl JsonNumber for Number {
    fn as_u64(&self) -> Option<u64> {
        if let Self::Unsigned(number) | Self::Whole(number) = *self { Some(number) } else { None }
    }

    fn as_i64(&self) -> Option<i64> {
        match *self {
            Self::Unsigned(number) | Self::Whole(number) => i64::try_from(number).ok(),
            Self::Signed(number) | Self::Negative(number) => Some(number),
            Self::Float(_) | Self::Rounded(_) => None,
        }
    }

    fn as_f64(&self) -> Option<f64> {
        Some(self.to_f64())
    }

    fn as_str(&self) -> Cow<'_, str> {
        Cow::Owned(self.to_number().to_string())
    }

    fn to_number(&self) -> Cow<'_, serde_json::Number> {
        Cow::Owned(self.to_json().unwrap_or_else(|| 0.into()))
    }

    /// Returns whether the number is an integer. One beyond 64 bits is an integer too, and out of
    /// the range of every integer type.
    fn is_integer(&self) -> bool {
        match *self {
            Self::Float(number) => number.fract() == 0.0,
            Self::Rounded(_) => false,
            _ => true,
        }
    }

    fn is_written_as_integer(&self) -> bool {
        matches!(self, Self::Unsigned(_) | Self::Signed(_))
    }
}
