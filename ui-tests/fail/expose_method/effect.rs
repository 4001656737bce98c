//! Effects that the HTTP method rules out.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET, effect = once)]
    async fn get(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(PUT, effect = once)]
    async fn put(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(PATCH, effect = read)]
    async fn patch(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(POST, effect = idempotant)]
    async fn post(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
