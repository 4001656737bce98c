/// The rates of fixer.io.
#[provider(name = "fixer_io", title = "Fixer.io")]
pub struct FixerIo {
    http: HttpClient,
    config: Config<FixerConfig>,
}

#[provider]
impl RateSource for FixerIo {
    #[provide_method(cost = "0.0002 USD")]
    async fn rates(&self, query: &RatesQuery) -> Result<Rates, ProviderError> {
        let body = self.http.get(&query.base).await?;
        Ok(body)
    }

    #[provide_method(cost = Self::order_cost)]
    async fn order(&self, order: Order, note: &str) -> Result<Receipt, ProviderError> {
        Ok(Receipt)
    }
}
