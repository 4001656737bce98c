//! What is the provider's to say.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource {
    #[provide_method(effect = read, cost = "0.0002 USD")]
    async fn rates(&self) -> Result<u32, ProviderError>;
}

fn main() {}
