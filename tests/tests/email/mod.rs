//! The email example: what its providers send to real APIs' stand-ins, and that no message is ever taken twice.

mod house;
mod once;
mod refusals;
mod requests;
mod start;
mod webhooks;
mod wire;
