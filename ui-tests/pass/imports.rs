//! Attributes by explicit imports, by paths and under other names: none counts as unused, and all
//! are found.

use gateway_runtime as gw;
use gateway_runtime::{capability, provide_method, provider, service as api};

/// A capability by path.
#[gw::capability]
pub trait ByPath {
    /// A method by path.
    #[gw::provide_method(effect = read)]
    async fn by_path(&self) -> gw::Result<(), gw::ProviderError>;
}

/// A capability by name.
#[capability]
pub trait ByName {
    /// A method by name.
    #[provide_method(effect = read)]
    async fn by_name(&self) -> std::result::Result<(), gw::ProviderError>;
}

/// A provider of both.
#[provider]
pub struct Both;

#[provider]
impl ByPath for Both {
    #[gateway_runtime::provide_method(cost = "0 USD")]
    async fn by_path(&self) -> gw::Result<(), gw::ProviderError> {
        Ok(())
    }
}

#[provider]
impl ByName for Both {
    async fn by_name(&self) -> gw::Result<(), gw::ProviderError> {
        Ok(())
    }
}

/// A service under another name.
#[api]
pub struct Renamed;

#[api]
impl Renamed {
    #[gw::expose_method(GET)]
    async fn renamed(&self) -> gw::Result<()> {
        Ok(())
    }
}
