//! An HTTP method that is none, or not first, or not the only one.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(get)]
    async fn lower(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method("POST")]
    async fn quoted(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(OPTIONS)]
    async fn options(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(price = "0.001 USD", GET)]
    async fn late(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET, POST)]
    async fn both(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET price = "0.001 USD")]
    async fn no_comma(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
