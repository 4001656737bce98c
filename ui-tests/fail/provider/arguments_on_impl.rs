//! Who the provider is, said on the wrong half.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource {
    #[provide_method(effect = read)]
    async fn rates(&self, base: &String) -> Result<u32, ProviderError>;
}

#[provider]
struct Fixed;

#[provider(name = "fixed")]
impl RateSource for Fixed {
    async fn rates(&self, base: &String) -> Result<u32, ProviderError> {
        Ok(1)
    }
}

fn main() {}
