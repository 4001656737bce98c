//! Who the gateway says it is.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The gateway as a whole, at the head of each document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Info {
    /// For people.
    pub title: String,
    /// The version of what is published; not of any one service, which has its own.
    pub version: String,
    /// Markdown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The URL at which clients reach the gateway: the server of `/openapi.json`. By default `/`, the root of the address
    /// at which the document was read.
    #[serde(skip_serializing)]
    pub url: String,
}

impl Default for Info {
    fn default() -> Self {
        Self {
            title: "Gateway".to_owned(),
            version: "0.0.0".to_owned(),
            description: String::new(),
            url: "/".to_owned(),
        }
    }
}
