//! An argument that only one attempt can have.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

struct Query;

#[capability]
trait RateSource {
    #[provide_method(effect = read)]
    async fn rates(&self, query: Query) -> Result<u32, ProviderError>;
}

fn main() {}
