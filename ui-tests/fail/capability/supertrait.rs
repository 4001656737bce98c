//! A supertrait that a pool does not have.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource: Send + std::fmt::Debug {
    #[provide_method(effect = read)]
    async fn rates(&self) -> Result<u32, ProviderError>;
}

fn main() {}
