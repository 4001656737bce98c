//! The helper without its `#[service]`.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

struct Currency;

impl Currency {
    #[expose_method(GET)]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
