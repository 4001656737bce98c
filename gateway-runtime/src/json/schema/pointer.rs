//! JSON Pointers (RFC 6901).

use serde_json::Value;

/// Maximum length of a pointer that is reported, in bytes.
const MAX_LEN: usize = 512;

/// Returns the pointer to the property `name` of the value at `parent`.
pub(super) fn property(parent: &str, name: &str) -> String {
    format!("{parent}/{}", name.replace('~', "~0").replace('/', "~1"))
}

/// Returns the pointer to the property `name`, or `parent` if that would be long.
pub(super) fn short_property(parent: &str, name: &str) -> String {
    if parent.len() + name.len() > MAX_LEN { parent.to_owned() } else { property(parent, name) }
}

/// Returns `pointer`, or its nearest ancestor that is short and leads to a part of `value`.
pub(super) fn nearest(value: &Value, mut pointer: &str) -> String {
    while pointer.len() > MAX_LEN || value.pointer(pointer).is_none() {
        pointer = pointer.rsplit_once('/').map_or("", |(parent, _)| parent);
    }
    pointer.to_owned()
}
