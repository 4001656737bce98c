//! Authentication as clients see it: tokens, API keys, and the requirements of methods.

mod issuer;
mod keys;
mod methods;
mod published;
mod remote;
mod tokens;
mod vault;
