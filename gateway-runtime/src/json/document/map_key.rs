//! The name of a member as a key of a map: a text, or the value that it writes, as in `serde_json`.

use serde::{
    Deserializer,
    de::{Visitor, value::BorrowedStrDeserializer},
    forward_to_deserialize_any,
};

use crate::json::document::decode_error::DecodeError;

/// A deserializer of a member's name.
#[derive(Clone, Copy)]
pub(super) struct MapKey<'de>(pub(super) &'de str);

/// Deserializes a number by the grammar of JSON, without white space around it.
macro_rules! numbers {
    ($($method:ident)*) => {$(
        fn $method<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
            let bytes = self.0.as_bytes();
            let is_bare =
                matches!(bytes, [b'-' | b'0'..=b'9', ..]) && matches!(bytes, [.., b'0'..=b'9']);
            let mut number = serde_json::Deserializer::from_str(self.0);
            let value = (&mut number).$method(visitor).map_err(|_| DecodeError)?;
            (is_bare && number.end().is_ok()).then_some(value).ok_or(DecodeError)
        }
    )*};
}

impl<'de> Deserializer<'de> for MapKey<'de> {
    type Error = DecodeError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_borrowed_str(self.0)
    }

    numbers! {
        deserialize_i8 deserialize_i16 deserialize_i32 deserialize_i64 deserialize_i128
        deserialize_u8 deserialize_u16 deserialize_u32 deserialize_u64 deserialize_u128
        deserialize_f32 deserialize_f64
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        match self.0 {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(DecodeError),
        }
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, DecodeError> {
        visitor.visit_some(self)
    }

    fn deserialize_newtype_struct<V: Visitor<'de>>(
        self,
        _: &'static str,
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        visitor.visit_newtype_struct(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, DecodeError> {
        BorrowedStrDeserializer::new(self.0).deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        char str string bytes byte_buf unit unit_struct seq tuple tuple_struct map struct identifier
        ignored_any
    }
}
