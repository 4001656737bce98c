//! An impl block that exposes no method.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    async fn rates(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
