//! Conversions to and from `serde_json::Value`, for paths with little traffic.

use serde_json::Value;

use crate::json::document::{
    Document,
    element::{Element, ElementKind},
    write::{Scalar, Writer},
};

impl From<&Value> for Document {
    fn from(value: &Value) -> Self {
        let mut writer = Writer::default();
        write(&mut writer, value);
        writer.finish()
    }
}

fn write(writer: &mut Writer, value: &Value) {
    match value {
        Value::Null => writer.scalar(Scalar::Null),
        Value::Bool(truth) => writer.scalar(Scalar::Bool(*truth)),
        Value::Number(number) => writer.scalar(Scalar::Number(number.into())),
        Value::String(text) => writer.scalar(Scalar::Text(text)),
        Value::Array(items) => {
            writer.array(items.len(), |writer| items.iter().for_each(|item| write(writer, item)));
        }
        Value::Object(members) => writer.object(members.len(), |writer| {
            for (name, value) in members {
                writer.name(name);
                write(writer, value);
            }
        }),
    }
}

impl Element<'_> {
    /// Copies the element into a `Value`.
    pub(crate) fn to_value(self) -> Value {
        match self.kind() {
            ElementKind::Null => Value::Null,
            ElementKind::Bool(truth) => Value::Bool(truth),
            ElementKind::Number(number) => number.to_json().map_or(Value::Null, Value::Number),
            ElementKind::Text(text) => text.into(),
            ElementKind::Array(array) => array.iter().map(Self::to_value).collect(),
            ElementKind::Object(object) => {
                object.iter().map(|(name, value)| (name.to_owned(), value.to_value())).collect()
            }
        }
    }

    /// Copies the element into a `Value`, with every number that is an integer written as one.
    pub(crate) fn to_value_of_integers(self) -> Value {
        match self.kind() {
            ElementKind::Number(number) => {
                number.as_integer().map_or_else(|| self.to_value(), Value::Number)
            }
            ElementKind::Array(array) => array.iter().map(Self::to_value_of_integers).collect(),
            ElementKind::Object(object) => object
                .iter()
                .map(|(name, value)| (name.to_owned(), value.to_value_of_integers()))
                .collect(),
            _ => self.to_value(),
        }
    }
}
