//! Who the service is, said on the wrong half.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service(name = "currency")]
impl Currency {
    #[expose_method(GET)]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
