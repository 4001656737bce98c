//! Types that `#[model]` accepts, and attributes that it does not change.

use gateway_runtime::model;

/// An enum.
#[model]
#[derive(Copy, PartialEq, Eq, Default)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    /// One.
    #[default]
    One,
    /// Two.
    Two,
}

/// Derives that are there already.
#[model]
#[derive(Debug, Clone)]
#[serde(deny_unknown_fields)]
pub struct Named {
    /// A kind.
    #[serde(default)]
    pub kind: Kind,
    /// A short text.
    #[schemars(length(max = 10))]
    pub text: String,
}

/// A tuple.
#[model]
pub struct Tuple(pub u32, pub Named);

/// A unit struct.
#[model]
pub struct Unit;

/// A generic type.
#[model]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
}

/// A type with serde paths of its own.
#[model]
#[derive(gateway_runtime::__private::serde::Serialize)]
#[serde(crate = "gateway_runtime::__private::serde", rename_all = "camelCase")]
#[schemars(crate = "gateway_runtime::__private::schemars")]
pub struct OwnPaths {
    /// Renamed.
    pub first_name: String,
}
