//! Methods that do not say what repeating does.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource {
    async fn rates(&self) -> Result<u32, ProviderError>;

    #[provide_method]
    async fn latest(&self) -> Result<u32, ProviderError>;

    #[provide_method(effect = reed)]
    async fn history(&self) -> Result<u32, ProviderError>;

    #[expose_method(GET)]
    async fn exposed(&self) -> Result<u32, ProviderError>;
}

fn main() {}
