//! Every receiver but `&self`.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn nothing() -> Result<()> {
        Ok(())
    }

    #[expose_method(GET)]
    async fn by_value(self) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET)]
    async fn exclusive(&mut self) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET)]
    async fn shared(self: std::sync::Arc<Self>) -> Result<()> {
        Ok(())
    }
}

fn main() {}
