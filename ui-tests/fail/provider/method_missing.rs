//! A method of the capability left out.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource {
    #[provide_method(effect = read)]
    async fn rates(&self, base: &String) -> Result<u32, ProviderError>;
}

#[provider]
struct Fixed;

#[provider]
impl RateSource for Fixed {}

fn main() {}
