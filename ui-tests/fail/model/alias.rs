//! What serde reads and the schema does not see.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[model]
struct Query {
    #[serde(alias = "from")]
    base: String,
    #[serde(default, alias = "page_size")]
    size: u32,
    #[serde(with = "hex")]
    digest: Vec<u8>,
}

#[model]
#[serde(tag = "kind")]
enum Order {
    #[serde(alias = "UP")]
    Up,
    Down {
        #[serde(alias = "by")]
        column: String,
    },
    #[serde(other)]
    Unknown,
}

mod hex {
    use gateway_runtime::__private::serde::{Deserializer, Serializer};

    pub fn serialize<S: Serializer>(_: &[u8], serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str("")
    }

    pub fn deserialize<'de, D: Deserializer<'de>>(_: D) -> Result<Vec<u8>, D::Error> {
        Ok(Vec::new())
    }
}

fn main() {}
