//! The helper without a `use`.

#![allow(unused_variables)]

use gateway_runtime::{Result, service};

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
