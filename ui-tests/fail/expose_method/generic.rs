//! Type parameters, in each of their forms.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[service]
struct Currency;

#[service]
impl Currency {
    #[expose_method(POST)]
    async fn typed<T>(&self, input: T) -> Result<()> {
        Ok(())
    }

    #[expose_method(POST)]
    async fn opaque(&self, input: impl Clone) -> Result<()> {
        Ok(())
    }

    #[expose_method(POST)]
    async fn borrowed<'a>(&'a self) -> Result<()> {
        Ok(())
    }
}

fn main() {}
