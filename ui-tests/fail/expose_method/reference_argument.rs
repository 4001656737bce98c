//! An argument by reference.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(POST)]
    async fn rates(&self, caller: &Caller) -> Result<()> {
        Ok(())
    }
}

fn main() {}
