//! The helper behind a condition.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[cfg_attr(unix, expose_method(GET))]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET)]
    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
