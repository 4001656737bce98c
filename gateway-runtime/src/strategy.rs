//! Shim so that the crate compiles until the real module lands: whoever brings that deletes this file.
#![allow(missing_docs, clippy::all)]
pub trait Strategy: Send + Sync + 'static {}
pub struct RoundRobin;
impl RoundRobin {
    pub const fn new() -> Self {
        Self
    }
}
impl Strategy for RoundRobin {}
pub struct Cheapest;
impl Cheapest {
    pub const fn new() -> Self {
        Self
    }
}
impl Strategy for Cheapest {}
