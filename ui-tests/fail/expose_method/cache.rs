//! Caches where nothing can be cached.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(POST, cache = "60s")]
    async fn convert(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET, cache_scope = global)]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
