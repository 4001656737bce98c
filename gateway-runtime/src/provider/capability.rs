//! Capabilities: what a provider can do, as a trait.

use crate::base::spec::CapabilitySpec;

/// A trait that providers implement; `#[capability]` on a trait `Trait` implements this one for
/// `dyn Trait`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a capability",
    label = "no trait object of a `#[capability]`",
    note = "write `dyn` and the name of a trait with `#[capability]`, as in \
            `Providers<dyn RateSource>`"
)]
pub trait Capability: Send + Sync + 'static {
    /// The specification of the capability, from its attributes.
    const SPEC: &'static CapabilitySpec;
}
