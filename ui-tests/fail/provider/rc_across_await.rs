//! Something that cannot change threads, held across an await.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource {
    #[provide_method(effect = read)]
    async fn rates(&self, base: &String) -> Result<u32, ProviderError>;
}

#[provider]
struct Fixed;

#[provider]
impl RateSource for Fixed {
    async fn rates(&self, base: &String) -> Result<u32, ProviderError> {
        let rates = std::rc::Rc::new(1);
        std::future::ready(()).await;
        Ok(*rates)
    }
}

fn main() {}
