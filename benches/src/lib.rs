//! Benchmarks: `src/bin/contestant.rs` takes part in the comparison with other frameworks, `src/bin/idle.rs` weighs idle
//! connections.
