//! An input whose schema nobody knows.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[derive(Deserialize)]
#[serde(crate = "gateway_runtime::__private::serde")]
struct RatesQuery {
    base: String,
}

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn rates(&self, query: RatesQuery) -> Result<()> {
        Ok(())
    }
}

fn main() {}
