//! Validation of arbitrary query strings: it never panics, and a valid one decodes to its type.
#![no_main]

use std::sync::LazyLock;

use gateway_runtime::schema::InputSchema;
use libfuzzer_sys::fuzz_target;

#[expect(dead_code, reason = "decoded, never read")]
mod input;

static SCHEMA: LazyLock<InputSchema> =
    LazyLock::new(|| InputSchema::of::<input::Flat>().expect("a schema"));

fuzz_target!(|query: &str| input::hold::<input::Flat>(&SCHEMA, SCHEMA.parse_query(query)));
