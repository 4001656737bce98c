//! Methods of a service for each type.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

struct Currency<T>(T);

#[service]
impl<T> Currency<T> {
    #[expose_method(POST)]
    async fn ping(&self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
