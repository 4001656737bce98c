//! A second version, declared after services whose names come later.

use gateway_runtime::{Result, expose_method, service};

use super::depot::Address;

/// The depot, newer.
#[service(name = "depot", version = 2, title = "The depot, newer")]
pub struct Depot2;

#[service]
impl Depot2 {
    /// Looks whether there is such an address, more closely.
    #[expose_method(POST)]
    async fn check(&self, address: Address) -> Result<bool> {
        Ok(address.floor >= 0)
    }
}
