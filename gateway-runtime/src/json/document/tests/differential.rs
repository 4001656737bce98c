//! Differential tests: every text means the same to the parser and to `serde_json`.

use proptest::{collection::vec, prelude::*};

use crate::json::document::tests::{agree, texts};

proptest! {
    // Failing seeds are not written to files beside the sources.
    #![proptest_config(ProptestConfig {
        failure_persistence: None,
        cases: 1_000,
        ..ProptestConfig::default()
    })]

    #[test]
    fn valid_texts(text in texts::json()) {
        agree(text.as_bytes());
    }

    #[test]
    fn damaged_texts(text in texts::damaged()) {
        agree(&text);
    }

    #[test]
    fn any_bytes(text in vec(any::<u8>(), 0..40)) {
        agree(&text);
    }

    #[test]
    fn what_looks_like_json(text in "[\\[\\]{}:,\"\\\\u0-9a-f.eE+ \n-]{0,30}") {
        agree(text.as_bytes());
    }

    #[test]
    fn numbers(text in "-?[0-9]{1,22}(\\.[0-9]{1,22})?([eE][+-]?[0-9]{1,3})?") {
        agree(text.as_bytes());
    }

    #[test]
    fn any_string(text in any::<String>()) {
        agree(serde_json::to_string(&text).unwrap().as_bytes());
        agree(format!("{{{text:?}:{text:?}}}").as_bytes());
    }

    #[test]
    fn any_depth(open in "[\\[{]{100,140}", value in "1?") {
        let close: String =
            open.chars().rev().map(|open| if open == '[' { ']' } else { '}' }).collect();
        let open = open.replace('{', "{\"a\":");
        agree(format!("{open}{value}{close}").as_bytes());
    }
}
