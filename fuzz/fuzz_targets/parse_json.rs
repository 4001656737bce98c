//! Validation of arbitrary bodies: it never panics, and a valid body decodes to its type.
#![no_main]

use std::sync::LazyLock;

use bytes::Bytes;
use gateway_runtime::schema::InputSchema;
use libfuzzer_sys::fuzz_target;

#[expect(dead_code, reason = "decoded, never read")]
mod input;

static SCHEMA: LazyLock<InputSchema> =
    LazyLock::new(|| InputSchema::of::<input::Deep>().expect("a schema"));

fuzz_target!(|body: &[u8]| {
    let answer = SCHEMA.parse_json(Bytes::copy_from_slice(body));
    if let (Err(violations), Ok(value)) =
        (&answer, serde_json::from_slice::<serde_json::Value>(body))
    {
        assert!(violations.iter().all(|violation| value.pointer(&violation.pointer).is_some()));
    }
    input::hold::<input::Deep>(&SCHEMA, answer);
});
