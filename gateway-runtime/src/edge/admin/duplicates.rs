//! Detection of duplicate members in an operator's JSON.
//!
//! RFC 8259 §4 leaves open which of two members with one name counts. Of two amounts, a proxy or a
//! log may have read the other one, so such a body is refused.

use std::{collections::HashSet, fmt};

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor},
};

use crate::{base::error::Error, json::violation::Violation};

/// Checks that no object in `body` has a member twice. A body that is not JSON passes; the parser
/// refuses it.
///
/// # Errors
///
/// `invalid-request`, with the name of the member and its line and column.
pub(super) fn refuse(body: &[u8]) -> Result<(), Error> {
    match serde_json::from_slice::<Unique>(body) {
        Err(error) if error.is_data() => Err(Error::invalid(vec![Violation {
            pointer: String::new(),
            detail: error.to_string(),
        }])),
        Ok(Unique) | Err(_) => Ok(()),
    }
}

/// A JSON value without duplicate members.
struct Unique;

impl<'de> Deserialize<'de> for Unique {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(UniqueVisitor)
    }
}

struct UniqueVisitor;

impl<'de> Visitor<'de> for UniqueVisitor {
    type Value = Unique;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Unique, A::Error> {
        let mut names = HashSet::new();
        while let Some(name) = members.next_key::<String>()? {
            let Unique = members.next_value()?;
            if let Some(name) = names.replace(name) {
                return Err(de::Error::custom(format_args!("duplicate member `{name}`")));
            }
        }
        Ok(Unique)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Unique, A::Error> {
        while items.next_element::<Unique>()?.is_some() {}
        Ok(Unique)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_str<E>(self, _: &str) -> Result<Unique, E> {
        Ok(Unique)
    }

    fn visit_unit<E>(self) -> Result<Unique, E> {
        Ok(Unique)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_member_that_is_there_twice_is_refused_at_any_depth() {
        for twice in [
            r#"{"amount":"1","amount":"2"}"#,
            r#"[{"a":{"b":1,"c":[],"b":1}}]"#,
            r#"{"a":1,"\u0061":2}"#,
        ] {
            let error = refuse(twice.as_bytes()).unwrap_err();
            let detail = &error.violations()[0].detail;
            assert!(detail.starts_with("duplicate member `"), "{detail}");
            assert!(detail.contains("` at line 1"), "{detail}");
        }
        for once in [
            r#"{"a":{"a":{"a":[1,-1,0.5,true,null,"a","a"]}},"b":{"a":1}}"#,
            "[{\"a\":1},{\"a\":1}]",
            "",
            "{",
        ] {
            assert!(refuse(once.as_bytes()).is_ok(), "{once}");
        }
    }
}
