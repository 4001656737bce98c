//! Attribute macros of the gateway SDK.
