//! An impl block of no capability.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[provider]
struct Fixed;

#[provider]
impl Fixed {
    #[provide_method(cost = "1 USD")]
    async fn rates(&self) -> Result<u32, ProviderError> {
        Ok(1)
    }
}

fn main() {}
