//! A method that is not async.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    fn rates(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
