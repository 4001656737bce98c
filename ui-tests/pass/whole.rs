//! All parts together: a capability with two providers, and a service that receives them in every
//! possible way.

use gateway_runtime::prelude::*;

/// A query for rates.
#[model]
pub struct RatesQuery {
    /// A currency.
    pub base: String,
}

/// The rates of a query.
#[model]
#[derive(Default, PartialEq)]
pub struct Rates {
    /// The currency.
    pub base: String,
}

/// A source of exchange rates.
#[capability]
pub trait RateSource {
    /// The latest rates.
    #[provide_method(effect = read)]
    async fn rates(&self, query: &RatesQuery) -> Result<Rates, ProviderError>;
}

/// Settings of fixer.io.
#[model]
pub struct FixerConfig {
    /// The base URL.
    #[serde(default)]
    pub url: String,
}

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
        let _ = (&self.http, &self.config.url);
        Err(ProviderError::unsupported(format!("there are no rates for {}", query.base)))
    }
}

/// Fixed rates.
#[provider]
pub struct Fixed;

#[provider]
impl RateSource for Fixed {
    async fn rates(&self, query: &RatesQuery) -> Result<Rates, ProviderError> {
        Ok(Rates { base: query.base.clone() })
    }
}

/// The conversion of one currency into another, by a provider of the client's choice.
#[model]
pub struct Exchange {
    /// The query.
    pub from: RatesQuery,
    /// The name of the provider.
    pub provider: String,
}

/// The context of a call.
#[derive(FromCall)]
pub struct Context {
    caller: Caller,
    call: Call,
}

/// Currency exchange.
#[service(name = "currency", version = 1, title = "Currency exchange", strategy = Cheapest)]
pub struct Currency;

#[service]
impl Currency {
    /// Latest rates for a base currency.
    #[expose_method(GET, price = "0.001 USD", cache = "60s", quota = "100/min")]
    async fn rates(&self, query: RatesQuery, sources: Providers<dyn RateSource>) -> Result<Rates> {
        Ok(sources.rates(&query).await?)
    }

    /// Converts by one provider, which the client names.
    #[expose_method(POST, idempotency = required)]
    async fn exchange(
        &self,
        exchange: Exchange,
        sources: Providers<dyn RateSource>,
        me: Context,
    ) -> Result<Rates> {
        if me.caller.account().is_none() {
            return Err(Error::not_found(format!("nobody calls {}", me.call.method().name)));
        }
        Ok(sources.named(&exchange.provider)?.rates(&exchange.from).await?)
    }

    /// Streams the rates.
    #[expose_method(GET)]
    async fn ticks(&self, query: RatesQuery) -> Result<Streaming<Rates>> {
        Err(Error::not_found(query.base))
    }

    /// Returns the rates as a file.
    #[expose_method(GET)]
    async fn table(&self) -> Result<Raw<media::Csv>> {
        Ok(Raw::new("base\n"))
    }

    #[expose_method(POST, webhook = HmacSha256("FIXER_WEBHOOK_SECRET"))]
    async fn settled(&self, event: Rates) -> Result<()> {
        drop(event);
        Ok(())
    }
}
