//! The parts of arrays, objects and enum variants, as serde accesses them.

use serde::{
    Deserialize,
    de::{
        DeserializeSeed, EnumAccess, MapAccess, SeqAccess, VariantAccess, Visitor,
        value::BorrowedStrDeserializer,
    },
};

use crate::json::document::{
    decode_error::DecodeError,
    element::{Array, ArrayIter, Element, ElementKind, Object, ObjectIter},
    map_key::MapKey,
};

pub(super) fn visit_array<'de, V: Visitor<'de>>(
    array: Array<'de>,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    let mut items = array.iter();
    let value = visitor.visit_seq(&mut items)?;
    if items.next().is_none() { Ok(value) } else { Err(DecodeError) }
}

pub(super) fn visit_object<'de, V: Visitor<'de>>(
    object: Object<'de>,
    visitor: V,
) -> Result<V::Value, DecodeError> {
    let mut entries = DocumentMap { members: object.iter(), value: None };
    let value = visitor.visit_map(&mut entries)?;
    if entries.members.next().is_none() { Ok(value) } else { Err(DecodeError) }
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
pub(super) struct Variant<'de> {
    pub(super) name: &'de str,
    pub(super) value: Option<Element<'de>>,
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
