//! An error that failover cannot judge.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

#[capability]
trait RateSource {
    #[provide_method(effect = read)]
    async fn rates(&self) -> Result<u32, String>;
}

fn main() {}
