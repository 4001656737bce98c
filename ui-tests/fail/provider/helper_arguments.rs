//! What the helper does not know here.

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
    #[provide_method(effect = read, cost = 0.0002)]
    async fn rates(&self, base: &String) -> Result<u32, ProviderError> {
        Ok(1)
    }
}

fn main() {}
