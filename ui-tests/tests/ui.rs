//! What the macros say about each mistake an author can make. `TRYBUILD=overwrite` accepts what they say now.

#[test]
fn mistakes_are_explained() {
    trybuild::TestCases::new().compile_fail("fail/*/*.rs");
}
