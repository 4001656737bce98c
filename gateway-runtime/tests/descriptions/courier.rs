//! A service that asks providers.

use gateway_runtime::{
    Currency, Error, Money, ProviderError, Providers, Result, capability, expose_method, model,
    provide_method, provider, service,
};

/// What to bring.
#[model]
pub struct Box {
    /// In grams.
    #[schemars(range(min = 1, max = 30_000))]
    pub weight: u32,
}

/// When it will be there.
#[model]
pub struct Promise {
    /// In days.
    pub days: u8,
}

/// What every courier can do.
#[capability]
pub trait Carrier {
    /// Comes and takes it along.
    #[provide_method(effect = keyed)]
    async fn fetch(&self, parcel: &Box) -> Result<Promise, ProviderError>;

    #[provide_method(effect = read)]
    async fn distance(&self, from: &str) -> Result<u32, ProviderError>;
}

/// By road.
#[provider(name = "van", title = "The van")]
pub struct Van;

impl Van {
    fn by_weight(parcel: &Box) -> Money {
        Money::from_nanos(
            10_000_000 * i64::from(parcel.weight),
            Currency::from_code("EUR").unwrap(),
        )
    }
}

#[provider]
impl Carrier for Van {
    #[provide_method(cost = Self::by_weight)]
    async fn fetch(&self, parcel: &Box) -> Result<Promise, ProviderError> {
        Ok(Promise { days: u8::try_from(parcel.weight / 1000).unwrap_or(u8::MAX) })
    }

    async fn distance(&self, from: &str) -> Result<u32, ProviderError> {
        Ok(u32::try_from(from.len()).unwrap_or(u32::MAX))
    }
}

#[provider(name = "bike", title = "The bike")]
pub struct Bike;

#[provider]
impl Carrier for Bike {
    #[provide_method(cost = "4.50 EUR")]
    async fn fetch(&self, _: &Box) -> Result<Promise, ProviderError> {
        Ok(Promise { days: 1 })
    }

    #[provide_method(cost = "0 EUR")]
    async fn distance(&self, _: &str) -> Result<u32, ProviderError> {
        Ok(1)
    }
}

/// Couriers.
#[service(name = "courier", title = "Couriers")]
pub struct Courier;

#[service]
impl Courier {
    /// Has something fetched.
    #[expose_method(POST)]
    async fn fetch(&self, parcel: Box, couriers: Providers<dyn Carrier>) -> Result<Promise> {
        couriers.fetch(&parcel).await.map_err(Error::from)
    }
}
