//! What is written down of calls, and what follows from it for the next: a gateway with books, and clients of its own.

mod idempotency;
mod records;
mod till;
