//! Not on a trait.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource {
    #[provide_method(effect = read)]
    async fn rates(&self) -> Result<u32, ProviderError>;
}

#[provider]
struct Fixed;

#[capability]
impl RateSource for Fixed {
    #[provide_method(cost = "1 USD")]
    async fn rates(&self) -> Result<u32, ProviderError> {
        Ok(1)
    }
}

fn main() {}
