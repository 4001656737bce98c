//! Two functions of one name, which Rust refuses already.

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(POST)]
    async fn rates(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
