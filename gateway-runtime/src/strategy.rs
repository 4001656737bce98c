//! Shim so that the crate compiles until the real module lands: whoever brings that deletes this file.
#![allow(missing_docs, clippy::all)]
pub trait Strategy: Send + Sync + 'static {}
#[derive(Default)]
pub struct RoundRobin;
impl RoundRobin {
    pub const fn new() -> Self {
        Self
    }
}
impl Strategy for RoundRobin {}
#[derive(Default)]
pub struct Cheapest;
impl Cheapest {
    pub const fn new() -> Self {
        Self
    }
}
impl Strategy for Cheapest {}
