//! Inputs of a GET or a DELETE that no query string can carry.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(GET)]
    async fn list(&self, ids: Vec<u32>) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET)]
    async fn tuple(&self, pair: (String, u32)) -> Result<()> {
        Ok(())
    }

    #[expose_method(DELETE)]
    async fn primitive(&self, id: u64) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET)]
    async fn text(&self, id: String) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET)]
    async fn map(&self, all: std::collections::HashMap<String, String>) -> Result<()> {
        Ok(())
    }
}

fn main() {}
