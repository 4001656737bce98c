//! What a text may stand for.

use serde_json::{Map, Value};

/// A set of what a text may be read as, in order of preference.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Forms(u8);

impl Forms {
    const NUMBER: Self = Self(1);
    const BOOLEAN: Self = Self(2);
    /// A text that the schema limits further.
    const SOME_TEXT: Self = Self(4);
    pub(super) const TEXT: Self = Self(8);
    const NULL: Self = Self(16);
    /// Numbers and booleans where the text looks like one. (Not null: any text will do, `null` too.)
    pub(super) const ANY: Self = Self(Self::NUMBER.0 | Self::BOOLEAN.0 | Self::TEXT.0);

    /// The forms of the values of `kind`, a type of JSON Schema, that `schema` allows.
    ///
    /// # Errors
    ///
    /// For arrays and objects, which are no single text.
    pub(super) fn of(kind: &str, schema: &Map<String, Value>) -> Result<Self, &'static str> {
        const LIMITS: [&str; 6] = ["enum", "const", "format", "pattern", "minLength", "maxLength"];
        match kind {
            "number" | "integer" => Ok(Self::NUMBER),
            "boolean" => Ok(Self::BOOLEAN),
            "null" => Ok(Self::NULL),
            "array" => Err("list"),
            "object" => Err("object"),
            _ if LIMITS.iter().any(|key| schema.contains_key(*key)) => Ok(Self::SOME_TEXT),
            _ => Ok(Self::TEXT),
        }
    }

    pub(super) fn add(&mut self, others: Self) {
        self.0 |= others.0;
    }

    fn has(self, form: Self) -> bool {
        self.0 & form.0 != 0
    }

    /// Those of the forms that `text` has.
    pub(super) fn fitting(self, text: &str) -> Self {
        let mut fitting = Self(self.0 & (Self::SOME_TEXT.0 | Self::TEXT.0));
        if self.has(Self::NUMBER) && number(text).is_some() {
            fitting.add(Self::NUMBER);
        }
        if self.has(Self::BOOLEAN) && matches!(text, "true" | "false") {
            fitting.add(Self::BOOLEAN);
        }
        // Where any text will do, `null` is that text.
        let is_null = text == "null" || text.is_empty() && self == Self::NULL;
        if self.has(Self::NULL) && !self.has(Self::TEXT) && is_null {
            fitting.add(Self::NULL);
        }
        fitting
    }

    pub(super) fn count(self) -> usize {
        self.0.count_ones() as usize
    }

    /// Reads `text` as the `nth` of these forms; leaves it a text if there is none.
    pub(super) fn read(self, text: &mut Value, nth: usize) {
        let Value::String(content) = &*text else { return };
        let chosen = (0..u8::BITS).map(|bit| Self(1 << bit)).filter(|form| self.has(*form)).nth(nth);
        let value = match chosen {
            Some(Self::NUMBER) => number(content),
            Some(Self::BOOLEAN) => Some(Value::Bool(content == "true")),
            Some(Self::NULL) => Some(Value::Null),
            _ => None,
        };
        *text = value.unwrap_or_else(|| text.take());
    }
}

/// The number that `text` writes, by the grammar of JSON.
fn number(text: &str) -> Option<Value> {
    // The parser would skip white space around it.
    let bytes = text.as_bytes();
    let is_bare = bytes.first()?.is_ascii_digit() || *bytes.first()? == b'-';
    (is_bare && bytes.last()?.is_ascii_digit()).then(|| serde_json::from_str(text).ok().map(Value::Number))?
}
