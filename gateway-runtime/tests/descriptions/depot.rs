//! Services whose names meet those of the shop.

use gateway_runtime::{Code, Error, Result, expose_method, model, service};

/// Where parcels go.
#[model]
pub struct Address {
    /// The street and the door.
    pub street: String,
    /// The lift, if there is one.
    pub floor: i16,
}

/// A part of a list.
#[model]
pub struct Page<T> {
    /// What is on it.
    pub items: Vec<T>,
    /// What comes after it.
    pub next: Option<String>,
}

const FULL: Code = Code::new("full", 409, "Full");

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

    /// Lists the addresses. The newest first.
    #[expose_method(GET, errors(FULL))]
    async fn list(&self) -> Result<Page<Address>> {
        Err(Error::new(FULL, "there is no room for a list"))
    }

    /// Lists the numbers of parcels.
    #[expose_method(GET)]
    async fn numbers(&self) -> Result<Page<u64>> {
        Ok(Page { items: Vec::new(), next: None })
    }
}
