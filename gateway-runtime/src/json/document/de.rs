//! The deserializer: turns an element into a type, and accepts every value as `serde_json::Value`
//! does.
//!
//! One value is an exception: a variant of no fields, `Empty()`, is the empty list that serde
//! writes for it.

use serde::{Deserializer, de::Visitor};

use crate::json::document::{
    access::{Variant, visit_array, visit_object},
    decode_error::DecodeError,
    element::{Element, ElementKind},
    number::Number,
};

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
