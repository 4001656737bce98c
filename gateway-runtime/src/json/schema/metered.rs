//! A view of a document for collecting violations within bounds of time and memory.
//!
//! The validator collects errors eagerly, and tries every alternative of an `anyOf` at every level:
//! a hostile value of 1 MiB can cost it a gigabyte, or for a recursive type two to the power of the
//! depth. A check for validity has no such cost, so only the explanation needs a limit. The
//! validator receives the value as [`MeteredValue`], which counts every step and, after too many
//! steps, shows no more children. Errors found after that may be wrong. Each error carries, in
//! place of the instance (which no message repeats), whether it is [sound](is_sound).

use std::{borrow::Cow, cell::Cell};

use jsonschema::{
    JsonType, ValidationError,
    json::{Array, Json, Node, NodeIdentity, Object},
};
use serde_json::Value;

use crate::json::{
    document::{self, Document, Element, Number},
    schema::instance::{Instance, is_unique},
};

/// Maximum number of steps. A body of 1 MiB has at most half as many values.
const STEPS: usize = 1 << 20;
/// Number of steps that an error costs. The limit allows more errors than are reported, even if
/// most belong to alternatives that were not meant.
const STEPS_PER_ERROR: usize = STEPS / 1_000;
/// Maximum length of a name that the validator is shown, in bytes, since paths repeat names.
const MAX_NAME: usize = 256;

const SOUND: &Value = &Value::Null;
const UNSOUND: &Value = &Value::Bool(false);

/// Returns whether `error` was found before the meter ran out.
pub(super) fn is_sound(error: &ValidationError<'_>) -> bool {
    error.instance().as_ref() != UNSOUND
}

/// A counter of the steps that are left.
#[derive(Debug)]
pub(super) struct Meter(Cell<usize>);

impl Meter {
    pub(super) fn new() -> Self {
        Self(Cell::new(STEPS))
    }

    /// Spends steps, and returns whether any are left.
    fn spend(&self, steps: usize) -> bool {
        let left = self.0.get().saturating_sub(steps);
        self.0.set(left);
        left > 0
    }
}

/// A value and its meter; a property's name has no meter.
#[derive(Clone, Copy)]
pub(super) struct MeteredValue<'a> {
    element: Element<'a>,
    meter: Option<&'a Meter>,
}

impl<'a> MeteredValue<'a> {
    pub(super) fn new(element: Element<'a>, meter: &'a Meter) -> Self {
        Self { element, meter: Some(meter) }
    }

    fn step(&self) -> bool {
        self.meter.is_none_or(|meter| meter.spend(1))
    }
}

/// The representation whose nodes are [`MeteredValue`]s.
#[derive(Debug)]
pub(super) struct MeteredJson;

impl Json for MeteredJson {
    type Node<'a> = MeteredValue<'a>;
    type PreparedKey = String;
    type StringBuffer = Document;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(
        buffer: &mut Document,
        string: &str,
        f: impl FnOnce(MeteredValue<'_>) -> T,
    ) -> T {
        *buffer = Document::of_text(string);
        f(MeteredValue { element: buffer.root(), meter: None })
    }
}

impl<'a> Node<'a, MeteredJson> for MeteredValue<'a> {
    type Object = MeteredObject<'a>;
    type Array = MeteredArray<'a>;
    type Number = Number;

    fn as_object(&self) -> Option<MeteredObject<'a>> {
        let object = Node::<Instance>::as_object(&self.element)?;
        self.step().then_some(MeteredObject { object, meter: self.meter })
    }

    fn as_array(&self) -> Option<MeteredArray<'a>> {
        let array = Node::<Instance>::as_array(&self.element)?;
        self.step().then_some(MeteredArray { array, meter: self.meter })
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        Node::<Instance>::as_string(&self.element)
    }

    fn as_number(&self) -> Option<Number> {
        self.element.as_number()
    }

    fn as_boolean(&self) -> Option<bool> {
        Node::<Instance>::as_boolean(&self.element)
    }

    fn is_null(&self) -> bool {
        self.element.is_null()
    }

    fn json_type(&self) -> JsonType {
        Node::<Instance>::json_type(&self.element)
    }

    fn equals_value(&self, expected: &Value) -> bool {
        Node::<Instance>::equals_value(&self.element, expected)
    }

    /// Returns whether an error is sound in place of its value. Only errors call this, since
    /// `equals_value` and `is_unique` do not need it here.
    fn to_value(&self) -> Cow<'a, Value> {
        match self.meter {
            None => Cow::Owned(self.element.to_value()),
            Some(meter) if meter.spend(STEPS_PER_ERROR) => Cow::Borrowed(SOUND),
            Some(_) => Cow::Borrowed(UNSOUND),
        }
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Node::<Instance>::identity(&self.element)
    }
}

/// An object whose members share the meter.
pub(super) struct MeteredObject<'a> {
    object: document::Object<'a>,
    meter: Option<&'a Meter>,
}

impl<'a> Object<'a, MeteredJson> for MeteredObject<'a> {
    type Node = MeteredValue<'a>;
    type MemberName = &'a str;
    type MembersIter = MembersIter<'a>;

    fn len(&self) -> usize {
        self.object.len()
    }

    fn get(&self, key: &String) -> Option<MeteredValue<'a>> {
        self.object.get(key).map(|element| MeteredValue { element, meter: self.meter })
    }

    fn members(&self) -> MembersIter<'a> {
        MembersIter { members: self.object.iter(), meter: self.meter }
    }
}

/// An iterator over an object's members.
pub(super) struct MembersIter<'a> {
    members: document::ObjectIter<'a>,
    meter: Option<&'a Meter>,
}

impl<'a> Iterator for MembersIter<'a> {
    type Item = (&'a str, MeteredValue<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, element) = self.members.next()?;
        let node = MeteredValue { element, meter: self.meter };
        node.step().then_some((&name[..name.floor_char_boundary(MAX_NAME)], node))
    }
}

/// An array whose elements share the meter.
pub(super) struct MeteredArray<'a> {
    array: document::Array<'a>,
    meter: Option<&'a Meter>,
}

impl<'a> Array<'a, MeteredJson> for MeteredArray<'a> {
    type Node = MeteredValue<'a>;
    type ElementsIter = ElementsIter<'a>;

    fn len(&self) -> usize {
        self.array.len()
    }

    fn elements(&self) -> ElementsIter<'a> {
        ElementsIter { elements: self.array.iter(), meter: self.meter }
    }

    fn is_unique(&self) -> bool {
        is_unique(self.array)
    }
}

/// An iterator over an array's elements.
pub(super) struct ElementsIter<'a> {
    elements: document::ArrayIter<'a>,
    meter: Option<&'a Meter>,
}

impl<'a> Iterator for ElementsIter<'a> {
    type Item = MeteredValue<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let node = MeteredValue { element: self.elements.next()?, meter: self.meter };
        node.step().then_some(node)
    }
}
