//! A capability has no arguments.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability(name = "rates")]
trait RateSource {
    #[provide_method(effect = read)]
    async fn rates(&self) -> Result<u32, ProviderError>;
}

fn main() {}
