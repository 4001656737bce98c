//! An answer that belongs to one provider.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource {
    #[provide_method(effect = read)]
    async fn rates(&self) -> Result<&str, ProviderError>;
}

fn main() {}
