//! Benchmarks: `src/bin/contestant.rs` takes part in the comparison with other frameworks.
