//! Quotas, over HTTP: rates, calls that run, several gateways, and what happens when Redis is away.

mod accounts;
mod concurrency;
mod faults;
mod meter;
mod processes;
mod rates;
