//! A pool of what is no capability.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

trait RateSource: Send + Sync {}

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn rates(&self, sources: Providers<dyn RateSource>) -> Result<()> {
        Ok(())
    }
}

fn main() {}
