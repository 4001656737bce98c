//! The admin listener: health, the API, and the effect of changes on calls.

mod accounts;
mod away;
mod house;
mod keys;
mod listener;
mod log;
mod rules;
mod search;
mod streamed;
