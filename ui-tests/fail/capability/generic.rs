//! A trait for each type.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait Source<T> {
    #[provide_method(effect = read)]
    async fn rates(&self, query: &T) -> Result<u32, ProviderError>;
}

fn main() {}
