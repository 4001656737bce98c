//! Two inputs.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[model]
struct Query {
    base: String,
}

#[model]
struct Amount {
    amount: u64,
}

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(POST)]
    async fn convert(&self, query: Query, call: Call, amount: Amount) -> Result<()> {
        Ok(())
    }
}

fn main() {}
