//! Quotas, over HTTP: rates, concurrency, several gateways, and an unavailable Redis.

mod accounts;
mod concurrency;
mod faults;
mod meter;
mod processes;
mod rates;
