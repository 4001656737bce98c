//! A name that is taken.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn client(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
