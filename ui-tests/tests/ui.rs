//! The messages of the macros for each mistake an author can make. `TRYBUILD=overwrite` accepts the
//! present ones.

use std::{fs, path::Path};

/// The folders, one for each macro; an empty one would make a test that finds nothing wrong.
const MACROS: &[&str] =
    &["capability", "derive", "expose_method", "model", "provide_method", "provider", "service"];

#[test]
fn mistakes_are_explained() {
    for name in MACROS {
        let folder = Path::new("fail").join(name);
        assert!(
            fs::read_dir(&folder).unwrap().next().is_some(),
            "{} has no cases",
            folder.display()
        );
    }
    trybuild::TestCases::new().compile_fail("fail/*/*.rs");
}
