//! A view of a JSON value for collecting violations within bounds of time and memory.
//!
//! The validator collects errors eagerly, and tries every alternative of an `anyOf` at every level: a hostile value of
//! 1 MiB can cost it a gigabyte, or for a recursive type two to the power of the depth. Whether a value is valid has
//! no such cost, so only the explanation needs a limit. It sees the value through [`Metered`], which counts every step
//! and, when too many were taken, shows no more children. Errors made after that may be wrong; each error carries, in
//! place of the instance (which no message repeats), whether it is [sound](is_sound).

use std::{borrow::Cow, cell::Cell, slice};

use jsonschema::{
    JsonType, ValidationError,
    json::{Array, Json, Node, NodeIdentity, Object, SerdeJson, unique},
};
use serde_json::{Map, Value, map};

/// A body of 1 MiB has at most half as many values.
const STEPS: usize = 1 << 20;
/// So many errors are more than is reported, even if most belong to alternatives that were not meant.
const STEPS_PER_ERROR: usize = STEPS / 1_000;
/// Paths repeat names, so the validator is shown no more of them, in bytes.
const MAX_NAME: usize = 256;

const SOUND: &Value = &Value::Null;
const UNSOUND: &Value = &Value::Bool(false);

/// Whether `error` was made while the meter still ran.
pub(super) fn is_sound(error: &ValidationError<'_>) -> bool {
    error.instance().as_ref() != UNSOUND
}

/// How many steps are left.
#[derive(Debug)]
pub(super) struct Meter(Cell<usize>);

impl Meter {
    pub(super) fn new() -> Self {
        Self(Cell::new(STEPS))
    }

    /// Takes steps, and tells whether there are any left.
    fn spend(&self, steps: usize) -> bool {
        let left = self.0.get().saturating_sub(steps);
        self.0.set(left);
        left > 0
    }
}

/// A value and the meter; no meter for a property's name.
#[derive(Clone, Copy)]
pub(super) struct Metered<'a> {
    value: &'a Value,
    meter: Option<&'a Meter>,
}

impl<'a> Metered<'a> {
    pub(super) fn new(value: &'a Value, meter: &'a Meter) -> Self {
        Self { value, meter: Some(meter) }
    }

    fn step(&self) -> bool {
        self.meter.is_none_or(|meter| meter.spend(1))
    }
}

/// The representation whose nodes are [`Metered`].
#[derive(Debug)]
pub(super) struct MeteredJson;

impl Json for MeteredJson {
    type Node<'a> = Metered<'a>;
    type PreparedKey = String;
    type StringBuffer = Value;

    fn prepare_key(key: &str) -> String {
        key.to_owned()
    }

    fn with_string_node<T>(buffer: &mut Value, string: &str, f: impl FnOnce(Metered<'_>) -> T) -> T {
        *buffer = Value::String(string.to_owned());
        f(Metered { value: buffer, meter: None })
    }
}

impl<'a> Node<'a, MeteredJson> for Metered<'a> {
    type Object = Members<'a>;
    type Array = Elements<'a>;
    type Number = &'a serde_json::Number;

    fn as_object(&self) -> Option<Members<'a>> {
        let object = self.value.as_object()?;
        self.step().then_some(Members { object, meter: self.meter })
    }

    fn as_array(&self) -> Option<Elements<'a>> {
        let array = self.value.as_array()?;
        self.step().then_some(Elements { array, meter: self.meter })
    }

    fn as_string(&self) -> Option<Cow<'a, str>> {
        self.value.as_str().map(Cow::Borrowed)
    }

    fn as_number(&self) -> Option<&'a serde_json::Number> {
        self.value.as_number()
    }

    fn as_boolean(&self) -> Option<bool> {
        self.value.as_bool()
    }

    fn is_null(&self) -> bool {
        self.value.is_null()
    }

    fn json_type(&self) -> JsonType {
        Node::<SerdeJson>::json_type(&self.value)
    }

    fn equals_value(&self, expected: &Value) -> bool {
        Node::<SerdeJson>::equals_value(&self.value, expected)
    }

    /// Asked for by errors alone, since `equals_value` and `is_unique` are answered here.
    fn to_value(&self) -> Cow<'a, Value> {
        Cow::Borrowed(match self.meter {
            None => self.value,
            Some(meter) if meter.spend(STEPS_PER_ERROR) => SOUND,
            Some(_) => UNSOUND,
        })
    }

    fn identity(&self) -> Option<NodeIdentity> {
        Node::<SerdeJson>::identity(&self.value)
    }
}

/// An object's members.
pub(super) struct Members<'a> {
    object: &'a Map<String, Value>,
    meter: Option<&'a Meter>,
}

impl<'a> Object<'a, MeteredJson> for Members<'a> {
    type Node = Metered<'a>;
    type MemberName = &'a str;
    type MembersIter = MembersIter<'a>;

    fn len(&self) -> usize {
        self.object.len()
    }

    fn get(&self, key: &String) -> Option<Metered<'a>> {
        self.object.get(key).map(|value| Metered { value, meter: self.meter })
    }

    fn members(&self) -> MembersIter<'a> {
        MembersIter { members: self.object.iter(), meter: self.meter }
    }
}

/// Goes through an object's members.
pub(super) struct MembersIter<'a> {
    members: map::Iter<'a>,
    meter: Option<&'a Meter>,
}

impl<'a> Iterator for MembersIter<'a> {
    type Item = (&'a str, Metered<'a>);

    fn next(&mut self) -> Option<Self::Item> {
        let (name, value) = self.members.next()?;
        let node = Metered { value, meter: self.meter };
        node.step().then_some((&name[..name.floor_char_boundary(MAX_NAME)], node))
    }
}

/// An array's elements.
pub(super) struct Elements<'a> {
    array: &'a [Value],
    meter: Option<&'a Meter>,
}

impl<'a> Array<'a, MeteredJson> for Elements<'a> {
    type Node = Metered<'a>;
    type ElementsIter = ElementsIter<'a>;

    fn len(&self) -> usize {
        self.array.len()
    }

    fn elements(&self) -> ElementsIter<'a> {
        ElementsIter { elements: self.array.iter(), meter: self.meter }
    }

    fn is_unique(&self) -> bool {
        unique::is_unique(self.array)
    }
}

/// Goes through an array's elements.
pub(super) struct ElementsIter<'a> {
    elements: slice::Iter<'a, Value>,
    meter: Option<&'a Meter>,
}

impl<'a> Iterator for ElementsIter<'a> {
    type Item = Metered<'a>;

    fn next(&mut self) -> Option<Self::Item> {
        let node = Metered { value: self.elements.next()?, meter: self.meter };
        node.step().then_some(node)
    }
}
