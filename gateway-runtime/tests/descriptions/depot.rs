//! Services whose names meet those of the shop.

use gateway_runtime::{Result, expose_method, model, service};

/// Where parcels go.
#[model]
pub struct Address {
    /// The street and the door.
    pub street: String,
    /// The lift, if there is one.
    pub floor: i16,
}

/// The same address in another country.
#[service(name = "depot", title = "The depot")]
pub struct Depot;

#[service]
impl Depot {
    /// Looks whether there is such an address.
    #[expose_method(POST)]
    async fn check(&self, address: Address) -> Result<Address> {
        Ok(address)
    }

    /// What a client of version 2 calls `depot_v2_check` must not be mistaken for this.
    #[expose_method(POST, name = "v2-check")]
    async fn v2_check(&self, address: super::shop::Address) -> Result<Vec<super::shop::Address>> {
        Ok(vec![address])
    }
}
