//! A mistake in the body is told as in any async function.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource {
    #[provide_method(effect = read)]
    async fn rates(&self, base: &String) -> Result<u32, ProviderError>;
}

#[provider]
struct Fixed;

#[provider]
impl RateSource for Fixed {
    async fn rates(&self, base: &String) -> Result<u32, ProviderError> {
        Ok(base)
    }
}

fn main() {}
