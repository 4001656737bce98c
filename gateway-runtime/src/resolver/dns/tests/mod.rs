mod addresses;
mod failures;
mod harness;
mod server;
mod service;
mod srv;
