//! The program of the README, in one file: a capability, two providers, a service.

use std::sync::Arc;

use gateway_runtime::{
    Call, Caller, Config, Error, FromApp, FromCall, Money, ProviderError, Providers, Result, capability, expose_method,
    model, provide_method, provider, service, strategy::Cheapest,
};

/// What to look up.
#[model]
pub struct RatesQuery {
    /// A currency.
    pub base: String,
}

/// What was found.
#[model]
#[derive(Default, PartialEq)]
pub struct Rates {
    /// The currency.
    pub base: String,
}

/// What every source of exchange rates can do.
#[capability]
pub trait RateSource {
    /// The latest rates.
    #[provide_method(effect = read)]
    async fn rates(&self, query: &RatesQuery) -> Result<Rates, ProviderError>;

    /// Rates by words.
    #[provide_method(effect = read)]
    async fn search(&self, words: &str, limit: u32, first: Rates) -> Result<Vec<Rates>, ProviderError>;
}

/// Fixed rates.
#[provider(name = "fixed", title = "Fixed rates")]
pub struct Fixed;

impl Fixed {
    fn cost() -> Money {
        Money::literal(1, "USD")
    }
}

#[provider]
impl RateSource for Fixed {
    #[provide_method(cost = "0.0002 USD")]
    async fn rates(&self, query: &RatesQuery) -> Result<Rates, ProviderError> {
        Ok(Rates { base: query.base.clone() })
    }

    #[provide_method(cost = Self::cost)]
    async fn search(&self, words: &str, limit: u32, first: Rates) -> Result<Vec<Rates>, ProviderError> {
        let all = vec![first, Rates { base: words.to_owned() }];
        Ok(all.into_iter().take(limit as usize).collect())
    }
}

/// Settings.
#[model]
struct Settings {
    base: Option<String>,
}

#[provider]
struct Configured {
    settings: Config<Settings>,
    tools: Tools,
}

#[derive(FromApp)]
struct Tools(Config<Settings>, Arc<String>);

#[provider]
impl RateSource for Configured {
    async fn rates(&self, query: &RatesQuery) -> Result<Rates, ProviderError> {
        let base = self.settings.base.as_ref().or(self.tools.0.base.as_ref()).or(Some(&*self.tools.1));
        Ok(Rates { base: base.unwrap_or(&query.base).clone() })
    }

    async fn search(&self, _: &str, _: u32, first: Rates) -> Result<Vec<Rates>, ProviderError> {
        Ok(vec![first])
    }
}

/// Who calls what.
#[derive(FromCall)]
pub struct Context {
    caller: Caller,
    call: Call,
}

/// Currency exchange.
#[service(name = "currency", version = 1, title = "Currency exchange", strategy = Cheapest, auth = optional)]
pub struct Currency;

#[service]
impl Currency {
    /// Latest rates for a base currency.
    #[expose_method(GET, price = "0.001 USD", cache = "60s", quota = "100/min")]
    async fn rates(&self, query: RatesQuery, sources: Providers<dyn RateSource>, call: Call) -> Result<Rates> {
        if query.base == "XXX" {
            return Err(Error::not_found(format!("no such currency, says {}", call.method().name)));
        }
        Ok(sources.rates(&query).await?)
    }

    #[expose_method(POST, name = "who-am-i", idempotency = required, scopes("a", "b"), timeout = "5s", deprecated)]
    async fn who(&self, Context { caller, call }: Context) -> Result<String> {
        Ok(format!("{:?} {}", caller.account(), call.id().as_str()))
    }
}
