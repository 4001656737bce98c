//! Who may call: tokens, API keys and what methods ask for, as clients see it.

mod issuer;
mod keys;
mod methods;
mod published;
mod remote;
mod tokens;
mod vault;
