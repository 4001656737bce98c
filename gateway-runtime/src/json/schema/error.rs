//! The errors of a schema: that it cannot be enforced, or that no query string can hold its values.

use std::{error::Error, fmt};

/// The error of a schema that cannot be enforced.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SchemaError {
    pub(super) of: &'static str,
    pub(super) reason: String,
}

impl fmt::Display for SchemaError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the schema of `{}` cannot be enforced: {}", self.of, self.reason)
    }
}

impl Error for SchemaError {}

/// The reason why the values of a schema cannot come from a query string.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum QueryError {
    /// The input may have a type other than an object.
    NotObject {
        /// The type, as JSON Schema names it.
        kind: String,
    },
    /// The alternatives of the schema have too many combinations.
    TooManyCombinations {
        /// The maximum number of combinations.
        max: usize,
    },
    /// A property may have a form that no query string can hold.
    Property {
        /// The name of the property.
        name: String,
        /// The form.
        form: UnsupportedForm,
    },
    /// A property that the schema does not declare may have such a form.
    UndeclaredProperty {
        /// The form.
        form: UnsupportedForm,
    },
}

/// A form of values that no query string can hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnsupportedForm {
    /// An object.
    Object,
    /// A list of objects.
    ListOfObjects,
    /// A list of lists.
    ListOfLists,
}

impl fmt::Display for UnsupportedForm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Object => "an object",
            Self::ListOfObjects => "a list of objects",
            Self::ListOfLists => "a list of lists",
        })
    }
}

impl fmt::Display for QueryError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotObject { kind } => {
                write!(f, "the input can be of type {kind}, but a query string is always an object")
            }
            Self::TooManyCombinations { max } => {
                write!(f, "its alternatives can be combined in more than {max} ways")
            }
            Self::Property { name, form } => write!(f, "its property `{name}` can be {form}"),
            Self::UndeclaredProperty { form } => {
                write!(f, "its undeclared properties can be {form}")
            }
        }
    }
}

impl Error for QueryError {}
