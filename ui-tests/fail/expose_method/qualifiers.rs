//! What else a function can be.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(POST)]
    async unsafe extern "C" fn rates(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
