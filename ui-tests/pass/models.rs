//! What `#[model]` can stand on, and what it leaves alone.

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
    /// Not too long.
    #[schemars(length(max = 10))]
    pub text: String,
}

/// A tuple.
#[model]
pub struct Tuple(pub u32, pub Named);

/// Nothing.
#[model]
pub struct Unit;

/// For each type.
#[model]
pub struct Page<T> {
    /// The items.
    pub items: Vec<T>,
}

/// By its own paths.
#[model]
#[derive(gateway_runtime::__private::serde::Serialize)]
#[serde(crate = "gateway_runtime::__private::serde", rename_all = "camelCase")]
#[schemars(crate = "gateway_runtime::__private::schemars")]
pub struct OwnPaths {
    /// Renamed.
    pub first_name: String,
}
