//! Something that cannot change threads, held across an await.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn rates(&self) -> Result<()> {
        let rates = std::rc::Rc::new(1);
        std::future::ready(()).await;
        drop(rates);
        Ok(())
    }
}

fn main() {}
