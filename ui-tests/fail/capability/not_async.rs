//! A method that is not async.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource {
    #[provide_method(effect = read)]
    fn rates(&self) -> Result<u32, ProviderError>;
}

fn main() {}
