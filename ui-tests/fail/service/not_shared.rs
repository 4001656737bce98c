//! A struct that threads cannot share.

#![allow(unused_variables)]

use gateway_runtime::prelude::*;

use std::cell::Cell;

struct Counter(Cell<u64>);

impl FromApp for Counter {
    fn from_app(_: &gateway_runtime::BuildContext<'_>) -> Result<Self, StartError> {
        Ok(Self(Cell::new(0)))
    }
}

#[service]
struct Currency {
    calls: Counter,
}

fn main() {}
