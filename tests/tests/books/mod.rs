//! The store of a gateway: the request log and idempotency keys, with clients of the tests' own.

mod idempotency;
mod records;
mod till;
