//! Nothing here: the tests are in `tests/main.rs`, one binary for all of them, because each links
//! everything.
