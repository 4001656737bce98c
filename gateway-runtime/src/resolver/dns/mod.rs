//! The resolver `dns`: instances from A, AAAA and SRV records.
//!
//! A result is asked for again when its TTL ends, at the earliest after 1 s and at the latest after
//! 30 s. "There are none" (NXDOMAIN, or no records) is an answer. "Could not ask" (SERVFAIL,
//! REFUSED, silence, a reply that is malformed) is none, and leaves the last answer in effect.

#[cfg(feature = "dns")]
mod addresses;
#[cfg(feature = "dns")]
mod client;
#[cfg(feature = "dns")]
mod error;
#[cfg(feature = "dns")]
mod lookup;
#[cfg(feature = "dns")]
mod records;
#[cfg(feature = "dns")]
mod resolver;
#[cfg(feature = "dns")]
mod service;
mod settings;
#[cfg(feature = "dns")]
mod task;
#[cfg(test)]
#[cfg(feature = "dns")]
mod tests;
#[cfg(feature = "dns")]
mod watched;
#[cfg(feature = "dns")]
mod weights;

#[cfg(feature = "dns")]
pub(crate) use crate::resolver::dns::resolver::DnsResolver;
pub(crate) use crate::resolver::dns::settings::DnsSettings;
