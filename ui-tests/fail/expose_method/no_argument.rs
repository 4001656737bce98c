//! An argument that is neither an input nor anything a call brings.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn rates(&self, started: std::time::Instant) -> Result<()> {
        Ok(())
    }
}

fn main() {}
