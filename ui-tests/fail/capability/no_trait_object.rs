//! Methods that no trait object can have.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource {
    #[provide_method(effect = read)]
    async fn generic<T>(&self, query: T) -> Result<u32, ProviderError>;

    #[provide_method(effect = read)]
    async fn opaque(&self, query: impl Clone) -> Result<u32, ProviderError>;

    #[provide_method(effect = read)]
    async fn no_receiver() -> Result<u32, ProviderError>;

    #[provide_method(effect = read)]
    async fn by_value(self) -> Result<u32, ProviderError>;

    #[provide_method(effect = read)]
    async fn exclusive(&mut self) -> Result<u32, ProviderError>;

    #[provide_method(effect = read)]
    async fn same(&self, other: &Self) -> Result<u32, ProviderError>;

    #[provide_method(effect = read)]
    async fn copy(&self) -> Result<Self, ProviderError>;

    const LIMIT: usize;

    type Rates;
}

fn main() {}
