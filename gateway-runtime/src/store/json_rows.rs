//! Rows as JSON text: what statements take and return.

use serde::{Serialize, de::DeserializeOwned};

use crate::store::StoreError;

pub(super) fn to_json(rows: &impl Serialize) -> Result<String, StoreError> {
    serde_json::to_string(rows).map_err(|error| {
        StoreError::rejected(format!("a row cannot be written: {error}")).with_source(error)
    })
}

pub(super) fn from_json<T: DeserializeOwned>(row: &str) -> Result<T, StoreError> {
    serde_json::from_str(row).map_err(|error| {
        StoreError::rejected(format!("a row cannot be read: {error}: {row}")).with_source(error)
    })
}
