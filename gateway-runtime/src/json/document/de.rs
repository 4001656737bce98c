//! The deserializer: turns an element into a type, and accepts every value as `serde_json::Value`
//! does.
//!
//! One value is an exception: a variant of no fields, `Empty()`, is the empty list that serde
//! writes for it.

use std::{error::Error, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{
        self, DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
        value::BorrowedStrDeserializer,
    },
};

use crate::json::document::{
    element::{Array, ArrayIter, Element, ElementKind, Object, ObjectIter},
    map_key::MapKey,
    number::Number,
};

/// The error of a value that its type rejects. It has no message: an untagged enum rejects a value
/// once for every alternative that does not fit, and most messages would be discarded. The reason
/// and the place are found by decoding again, if they are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct DecodeError;

impl fmt::Display for DecodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the type does not take the value")
    }
}

impl Error for DecodeError {}

impl de::Error for DecodeError {
    fn custom<T: fmt::Display>(_: T) -> Self {
        Self
    }
}

fn visit_array<'de, V: Visitor<'de>>(
    array: Array<'de>,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    let mut items = array.iter();
    let value = visitor.visit_seq(&mut items)?;
    if items.next().is_none() { Ok(value) } else { Err(DecodeError) }
}

fn visit_object<'de, V: Visitor<'de>>(
    object: Object<'de>,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    let mut entries = DocumentMap { members: object.iter(), value: None };
    let value = visitor.visit_map(&mut entries)?;
    if entries.members.next().is_none() { Ok(value) } else { Err(DecodeError) }
}

/// Passes a number to a visitor as `serde_json` does: a number with a fraction or an exponent is a
/// float.
fn visit_number<'de, V: Visitor<'de>>(number: Number, visitor: V) -> Result<V::Value, DecodeError> {
    match number {
        Number::Unsigned(number) => visitor.visit_u64(number),
        Number::Signed(number) => visitor.visit_i64(number),
        _ => visitor.visit_f64(number.to_f64()),
    }
}

impl<'de> Element<'de> {
    fn number<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.kind() {
            ElementKind::Number(number) => visit_number(number, visitor),
            _ => Err(DecodeError),
        }
    }
}

macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            self.number(visitor)
        }
    )*};
}

impl<'de> Deserializer<'de> for Element<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.kind() {
            ElementKind::Null => visitor.visit_unit(),
            ElementKind::Bool(truth) => visitor.visit_bool(truth),
            ElementKind::Number(number) => visit_number(number, visitor),
            ElementKind::Text(text) => visitor.visit_borrowed_str(text),
            ElementKind::Array(array) => visit_array(array, visitor),
            ElementKind::Object(object) => visit_object(object, visitor),
        }
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let ElementKind::Bool(truth) = self.kind() {
            visitor.visit_bool(truth)
        } else {
            Err(DecodeError)
        }
    }

    fn deserialize_char<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_str<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let ElementKind::Text(text) = self.kind() {
            visitor.visit_borrowed_str(text)
        } else {
            Err(DecodeError)
        }
    }

    fn deserialize_string<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_bytes<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.kind() {
            ElementKind::Text(text) => visitor.visit_borrowed_str(text),
            ElementKind::Array(array) => visit_array(array, visitor),
            _ => Err(DecodeError),
        }
    }

    fn deserialize_byte_buf<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_bytes(visitor)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.is_null() { visitor.visit_none() } else { visitor.visit_some(self) }
    }

    fn deserialize_unit<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if self.is_null() { visitor.visit_unit() } else { Err(DecodeError) }
    }

    fn deserialize_unit_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_unit(visitor)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_seq<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let ElementKind::Array(array) = self.kind() {
            visit_array(array, visitor)
        } else {
            Err(DecodeError)
        }
    }

    fn deserialize_tuple<V: Visitor<'de>>(
        self,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_tuple_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: usize,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        self.deserialize_seq(visitor)
    }

    fn deserialize_map<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        if let ElementKind::Object(object) = self.kind() {
            visit_object(object, visitor)
        } else {
            Err(DecodeError)
        }
    }

    fn deserialize_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.kind() {
            ElementKind::Array(array) => visit_array(array, visitor),
            ElementKind::Object(object) => visit_object(object, visitor),
            _ => Err(DecodeError),
        }
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        _: &'static str,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        match self.kind() {
            ElementKind::Text(name) => visitor.visit_enum(Variant { name, value: None }),
            ElementKind::Object(object) if object.len() == 1 => {
                let (name, value) = object.iter().next().ok_or(DecodeError)?;
                visitor.visit_enum(Variant { name, value: Some(value) })
            }
            _ => Err(DecodeError),
        }
    }

    fn deserialize_identifier<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        self.deserialize_str(visitor)
    }

    fn deserialize_ignored_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_unit()
    }
}

impl<'de> SeqAccess<'de> for ArrayIter<'de> {
    type Error = DecodeError;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, DecodeError> {
        self.next().map(|item| seed.deserialize(item)).transpose()
    }

    fn size_hint(&self) -> Option<usize> {
        Iterator::size_hint(self).1
    }
}

/// The members of an object, as names and values in turn.
struct DocumentMap<'de> {
    members: ObjectIter<'de>,
    value: Option<Element<'de>>,
}

impl<'de> MapAccess<'de> for DocumentMap<'de> {
    type Error = DecodeError;

    fn next_key_seed<K: DeserializeSeed<'de>>(
        &mut self,
        seed: K,
    ) -> Result<Option<K::Value>, DecodeError> {
        let Some((name, value)) = self.members.next() else { return Ok(None) };
        self.value = Some(value);
        seed.deserialize(MapKey(name)).map(Some)
    }

    fn next_value_seed<V: DeserializeSeed<'de>>(
        &mut self,
        seed: V,
    ) -> Result<V::Value, DecodeError> {
        seed.deserialize(self.value.take().ok_or(DecodeError)?)
    }

    fn size_hint(&self) -> Option<usize> {
        Iterator::size_hint(&self.members).1
    }
}

/// A variant of an enum: its name, and its value if there is one.
struct Variant<'de> {
    name: &'de str,
    value: Option<Element<'de>>,
}

impl<'de> EnumAccess<'de> for Variant<'de> {
    type Error = DecodeError;
    type Variant = Self;

    fn variant_seed<V: DeserializeSeed<'de>>(
        self,
        seed: V,
    ) -> Result<(V::Value, Self), DecodeError> {
        Ok((seed.deserialize(BorrowedStrDeserializer::new(self.name))?, self))
    }
}

impl<'de> VariantAccess<'de> for Variant<'de> {
    type Error = DecodeError;

    fn unit_variant(self) -> Result<(), DecodeError> {
        self.value.map_or(Ok(()), Deserialize::deserialize)
    }

    fn newtype_variant_seed<T: DeserializeSeed<'de>>(
        self,
        seed: T,
    ) -> Result<T::Value, DecodeError> {
        seed.deserialize(self.value.ok_or(DecodeError)?)
    }

    fn tuple_variant<V: Visitor<'de>>(self, _: usize, visitor: V) -> Result<V::Value, DecodeError> {
        if let Some(ElementKind::Array(array)) = self.value.map(Element::kind) {
            visit_array(array, visitor)
        } else {
            Err(DecodeError)
        }
    }

    fn struct_variant<V: Visitor<'de>>(
        self,
        _: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        if let Some(ElementKind::Object(object)) = self.value.map(Element::kind) {
            visit_object(object, visitor)
        } else {
            Err(DecodeError)
        }
    }
}
