//! The operator's listener: health, the API, and what follows from it for calls.

mod accounts;
mod away;
mod house;
mod keys;
mod listener;
mod log;
mod rules;
mod search;
mod streamed;
