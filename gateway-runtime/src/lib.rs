//! The runtime of the gateway SDK.
