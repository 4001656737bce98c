//! An argument that an attempt could change.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource {
    #[provide_method(effect = read)]
    async fn rates(&self, into: &mut Vec<u32>) -> Result<(), ProviderError>;
}

fn main() {}
