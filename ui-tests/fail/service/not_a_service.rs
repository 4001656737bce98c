//! An impl block whose struct is no service.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
