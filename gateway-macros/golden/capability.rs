/// What every source of exchange rates can do.
#[capability]
pub trait RateSource {
    /// The latest rates.
    #[provide_method(effect = read)]
    async fn rates(&self, query: &RatesQuery) -> Result<Rates, ProviderError>;

    #[provide_method(effect = once)]
    async fn order(&self, order: Order, note: &str) -> Result<Receipt, ProviderError>;
}
