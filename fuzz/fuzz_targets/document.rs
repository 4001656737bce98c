//! The JSON parser agrees with `serde_json`: it accepts the same texts with the same meaning, and
//! refuses the others for the same reasons.
#![no_main]

use bytes::Bytes;
use gateway_runtime::Document;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;

fuzz_target!(|body: &[u8]| {
    match (Document::parse(Bytes::copy_from_slice(body)), serde_json::from_slice::<Value>(body)) {
        // The comparison as texts covers the order of members, the kinds of numbers and the sign of
        // zero.
        (Ok(ours), Ok(theirs)) => {
            assert_eq!(ours.to_value().to_string(), theirs.to_string());
            assert_eq!(Document::from(&theirs).to_value().to_string(), theirs.to_string());
        }
        (ours, theirs) => assert_eq!(
            ours.map_err(|e| e.to_string()).err(),
            theirs.map_err(|e| e.to_string()).err()
        ),
    }
});
