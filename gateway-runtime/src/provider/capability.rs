//! Capabilities: what a provider can do, as a trait.

use crate::base::spec::CapabilitySpec;

/// A trait that providers implement; `#[capability]` on a trait `Trait` implements this one for
/// `dyn Trait`.
///
/// Code that works with the providers of any capability has it as a bound:
///
/// ```
/// use gateway_runtime::{prelude::*, provider::Capability};
///
/// /// A source of exchange rates.
/// #[capability]
/// trait RateSource {
///     /// The rate of the dollar in euros.
///     #[provide_method(effect = read)]
///     async fn rate(&self) -> Result<f64, ProviderError>;
/// }
///
/// /// Returns the name of the capability, for logs and metrics.
/// fn name<C: Capability + ?Sized>(_: &Providers<C>) -> &'static str {
///     C::SPEC.name
/// }
///
/// # fn main() {
/// let spec = <dyn RateSource as Capability>::SPEC;
/// assert_eq!((spec.name, spec.methods[0].name), ("RateSource", "rate"));
/// # }
/// ```
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
