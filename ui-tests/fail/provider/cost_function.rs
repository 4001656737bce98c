//! A function of the wrong arguments.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource {
    #[provide_method(effect = read)]
    async fn rates(&self, base: &String) -> Result<u32, ProviderError>;
}

#[provider]
struct Fixed;

fn cost_of(base: &u32) -> Money {
    Money::literal(1, "USD")
}

#[provider]
impl RateSource for Fixed {
    #[provide_method(cost = cost_of)]
    async fn rates(&self, base: &String) -> Result<u32, ProviderError> {
        Ok(1)
    }
}

fn main() {}
