//! The call, as a strategy sees it.

use std::fmt;

use crate::base::{
    call::Call,
    cost::{Argument, argument_of},
    country::Country,
    spec::{CapabilityMethodSpec, CapabilitySpec},
};

/// A call of a capability's method, as a strategy sees it.
#[derive(Clone, Copy)]
pub struct StrategyCall<'a> {
    call: &'a Call,
    capability: &'static CapabilitySpec,
    method: &'static CapabilityMethodSpec,
    arguments: &'a [&'a Argument],
    sequence: usize,
}

impl<'a> StrategyCall<'a> {
    /// Creates a call, in a pool or in a test of a strategy.
    #[must_use]
    pub fn new(
        call: &'a Call,
        capability: &'static CapabilitySpec,
        method: &'static CapabilityMethodSpec,
        arguments: &'a [&'a Argument],
        sequence: usize,
    ) -> Self {
        Self { call, capability, method, arguments, sequence }
    }

    /// Returns the call of the exposed method within which this one happens: its caller, its
    /// client's address, its headers.
    #[must_use]
    pub fn call(&self) -> &'a Call {
        self.call
    }

    /// Returns the client's country, if it is known.
    #[must_use]
    pub fn country(&self) -> Option<Country> {
        self.call.country()
    }

    /// Returns the capability.
    #[must_use]
    pub fn capability(&self) -> &'static CapabilitySpec {
        self.capability
    }

    /// Returns the capability's method.
    #[must_use]
    pub fn method(&self) -> &'static CapabilityMethodSpec {
        self.method
    }

    /// Returns the argument that is passed as a `&Q`; the first of them if there are several.
    #[must_use]
    pub fn argument<Q: 'static>(&self) -> Option<&'a Q> {
        argument_of(self.arguments)
    }

    /// Returns the number of earlier calls of this method; wraps around.
    #[must_use]
    pub fn sequence(&self) -> usize {
        self.sequence
    }
}

impl fmt::Debug for StrategyCall<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("StrategyCall")
            .field("call", self.call)
            .field("capability", &self.capability.name)
            .field("method", &self.method.name)
            .field("turn", &self.sequence)
            .finish_non_exhaustive()
    }
}
