//! Two methods of one name.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(POST, name = "rates")]
    async fn latest(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
