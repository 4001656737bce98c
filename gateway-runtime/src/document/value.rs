//! To and from `serde_json::Value`, for roads on which little travels.

use serde_json::Value;

use super::{
    Document,
    element::{Element, Kind},
    tape::{Node, Store, Stores, Tape, Text},
};

impl From<&Value> for Document {
    fn from(value: &Value) -> Self {
        let mut writer = Writer::default();
        writer.value(value);
        Self { unescaped: writer.texts, tape: writer.tape, ..Self::default() }
    }
}

#[derive(Default)]
struct Writer {
    texts: String,
    tape: Tape,
}

impl Writer {
    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.tape.push(Node::Null),
            Value::Bool(truth) => self.tape.push(Node::Bool(*truth)),
            Value::Number(number) => {
                let whole = number.as_u64().map(Node::Unsigned).or_else(|| number.as_i64().map(Node::Signed));
                self.tape.push(whole.or_else(|| number.as_f64().map(Node::Float)).unwrap_or(Node::Null));
            }
            Value::String(text) => {
                let text = self.text(text);
                self.tape.push(Node::Text(text));
            }
            Value::Array(items) => {
                let head = self.tape.open();
                items.iter().for_each(|item| self.value(item));
                self.tape.close_array(head, count(items.len()));
            }
            Value::Object(members) => {
                let head = self.tape.open();
                for (name, value) in members {
                    let name = self.text(name);
                    self.tape.push(Node::Text(name));
                    self.value(value);
                }
                let stores = Stores { body: &[], unescaped: self.texts.as_bytes() };
                self.tape.close_object(head, count(members.len()), false, stores);
            }
        }
    }

    fn text(&mut self, text: &str) -> Text {
        let start = self.texts.len();
        self.texts.push_str(text);
        Text::new(Store::Unescaped, start, text.len())
    }
}

/// Counts are kept in 32 bits; a value with more members is none that a gateway makes.
fn count(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}

impl Element<'_> {
    /// A copy as a `Value`.
    pub(crate) fn to_value(self) -> Value {
        match self.kind() {
            Kind::Null => Value::Null,
            Kind::Bool(truth) => Value::Bool(truth),
            Kind::Unsigned(number) => number.into(),
            Kind::Signed(number) => number.into(),
            Kind::Float(number) => number.into(),
            Kind::Text(text) => text.into(),
            Kind::Array(array) => array.iter().map(Self::to_value).collect(),
            Kind::Object(object) => object.iter().map(|(name, value)| (name.to_owned(), value.to_value())).collect(),
        }
    }
}
