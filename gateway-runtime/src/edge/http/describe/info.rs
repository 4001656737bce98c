//! Title, version and description at the head of each published document.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// The description of the gateway as a whole, at the head of each document.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(default, deny_unknown_fields)]
pub struct Info {
    /// The title, for people.
    pub title: String,
    /// The version of the published documents. Services have versions of their own.
    pub version: String,
    /// The description, in Markdown.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub description: String,
    /// The URL at which clients reach the gateway: the server of `/openapi.json`. By default `/`,
    /// the root of the address from which the document was read.
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
