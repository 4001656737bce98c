//! The helper without its `#[capability]` or `#[provider]`.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

trait RateSource {
    #[provide_method(effect = read)]
    async fn rates(&self) -> Result<u32, ProviderError>;
}

fn main() {}
