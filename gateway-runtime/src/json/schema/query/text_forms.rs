//! The forms of a text in a query: number, boolean, string, null.

use serde_json::{Map, Value};
use smallvec::SmallVec;

use crate::json::document::{Number, Scalar};

/// A set of forms that a text may have.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct TextForms(u8);

/// The readings of one text, in order of preference.
pub(super) type Readings<'t> = SmallVec<[Scalar<'t>; 4]>;

/// A type whose values are no single text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Structure {
    Array,
    Object,
}

impl TextForms {
    const NUMBER: Self = Self(1);
    const BOOLEAN: Self = Self(2);
    /// A string that the schema limits further.
    const SOME_TEXT: Self = Self(4);
    pub(super) const TEXT: Self = Self(8);
    const NULL: Self = Self(16);
    /// Numbers and booleans where the text looks like one. (Not null: any string is allowed, `null`
    /// too.)
    pub(super) const ANY: Self = Self(Self::NUMBER.0 | Self::BOOLEAN.0 | Self::TEXT.0);

    /// Returns the forms of the values of `kind`, a type of JSON Schema, that `schema` allows.
    ///
    /// # Errors
    ///
    /// Returns an error for arrays and objects, which are no single text.
    pub(super) fn of(kind: &str, schema: &Map<String, Value>) -> Result<Self, Structure> {
        const LIMITS: [&str; 6] = ["enum", "const", "format", "pattern", "minLength", "maxLength"];
        match kind {
            "number" | "integer" => Ok(Self::NUMBER),
            "boolean" => Ok(Self::BOOLEAN),
            "null" => Ok(Self::NULL),
            "array" => Err(Structure::Array),
            "object" => Err(Structure::Object),
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

    pub(super) fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns whether a text may have several readings.
    pub(super) fn is_ambiguous(self) -> bool {
        self.0.count_ones() > 1
    }

    /// Returns the readings of `text`: a number, a boolean, a string, null.
    pub(super) fn readings(self, text: &str) -> Readings<'_> {
        let mut readings = Readings::new();
        if self.has(Self::NUMBER) {
            readings.extend(Number::parse(text).map(Scalar::Number));
        }
        if self.has(Self::BOOLEAN) && matches!(text, "true" | "false") {
            readings.push(Scalar::Bool(text == "true"));
        }
        if self.has(Self::TEXT) || self.has(Self::SOME_TEXT) {
            readings.push(Scalar::Text(text));
        }
        // Where any string is allowed, `null` is that string.
        let is_null = text == "null" || text.is_empty() && self == Self::NULL;
        if self.has(Self::NULL) && !self.has(Self::TEXT) && is_null {
            readings.push(Scalar::Null);
        }
        readings
    }
}
