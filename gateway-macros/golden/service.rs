/// Rates of exchange.
#[service(name = "currency", version = 1, title = "Currency exchange", strategy = Cheapest)]
pub struct Currency;

#[service]
impl Currency {
    /// Latest rates for a base currency.
    #[expose_method(GET, price = "0.001 USD", cache = "60s", quota = "100/min")]
    async fn rates(&self, query: RatesQuery, sources: Providers<dyn RateSource>) -> Result<Rates> {
        Ok(sources.rates(&query).await?)
    }

    #[expose_method(POST, webhook = HmacSha256("FIXER_WEBHOOK_SECRET"))]
    async fn settled(&self, event: Settlement) -> Result<()> {
        Ok(())
    }
}
