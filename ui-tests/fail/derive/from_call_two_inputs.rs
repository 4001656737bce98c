//! Two inputs in one.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[derive(FromCall)]
struct Context {
    id: String,
    amount: u64,
}

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(POST)]
    async fn rates(&self, context: Context) -> Result<()> {
        Ok(())
    }
}

fn main() {}
