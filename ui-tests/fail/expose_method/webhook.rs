//! Webhooks that cannot be.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET, webhook = HmacSha256("FIXER_WEBHOOK_SECRET"))]
    async fn by_get(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(POST, webhook = HmacSha256("FIXER_WEBHOOK_SECRET"), auth = required, price = "1 EUR", cache = "1s")]
    async fn charged(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(POST, webhook = "FIXER_WEBHOOK_SECRET")]
    async fn unsigned(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(POST, webhook = HmacSha256("whsec-7f3a"))]
    async fn secret_in_source(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
