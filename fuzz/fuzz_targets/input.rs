//! Input types of most kinds, for which schema and serde agree.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use gateway_runtime::{
    Document, Violation,
    schema::{InputSchema, decode},
};
use schemars::JsonSchema;
use serde::{Deserialize, de::DeserializeOwned};

/// An input that a query string can carry.
#[derive(JsonSchema, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Flat {
    #[schemars(length(min = 1, max = 8), regex(pattern = "^[a-z%]+$"))]
    pub word: Option<String>,
    pub letter: Option<char>,
    #[schemars(range(max = 10))]
    pub small: Option<i8>,
    pub big: Option<u64>,
    pub single: Option<f32>,
    pub flag: Option<bool>,
    pub color: Option<Color>,
    pub address: Option<IpAddr>,
    #[serde(default)]
    pub many: BTreeSet<i16>,
    pub pair: Option<(u8, String)>,
    pub either: Option<Either>,
}

/// A choice of names.
#[derive(JsonSchema, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Color {
    DarkRed,
    Null,
}

/// A choice of types.
#[derive(JsonSchema, Deserialize)]
#[serde(untagged)]
pub enum Either {
    Number(u32),
    Truth(bool),
    Word(#[schemars(email)] String),
    List(Vec<u8>),
}

/// An input that only JSON can carry.
#[derive(JsonSchema, Deserialize)]
pub enum Deep {
    Flat(Flat),
    List(Vec<Deep>),
    Map { by_name: BTreeMap<String, Option<Deep>> },
    Tagged(Tagged),
}

/// A choice by tag.
#[derive(JsonSchema, Deserialize)]
#[serde(tag = "t", content = "c")]
pub enum Tagged {
    A(i64),
    B { inner: Option<Box<Tagged>> },
}

/// Checks the result of validation: serde accepts what the schema accepts, and violations are
/// bounded.
pub fn hold<T: DeserializeOwned>(schema: &InputSchema, answer: Result<Document, Vec<Violation>>) {
    match answer {
        Ok(document) => {
            assert_eq!(schema.check(&document.to_value()), Ok(()));
            if let Err(violations) = decode::<T>(&document) {
                panic!(
                    "{document:?} is allowed by the schema, and refused by serde: {violations:?}"
                );
            }
        }
        Err(violations) => {
            assert!(!violations.is_empty() && violations.len() <= 101);
            assert!(
                violations
                    .iter()
                    .all(|violation| violation.pointer.len() + violation.detail.len() < 2_000)
            );
        }
    }
}
