//! An impl of a trait that is no capability.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

trait RateSource {
    fn rates<'a>(&'a self) -> gateway_runtime::__private::BoxFuture<'a, Result<u32, ProviderError>>;
}

#[provider]
struct Fixed;

#[provider]
impl RateSource for Fixed {
    async fn rates(&self) -> Result<u32, ProviderError> {
        Ok(1)
    }
}

fn main() {}
