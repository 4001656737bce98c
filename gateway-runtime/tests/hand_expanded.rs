//! What the macros make of one capability, two providers and a service, written by hand: the runtime's side of the
//! contract between the two crates.

use gateway_runtime::{__private as gw, Call, Error, Money, ProviderError, Providers, Result};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize, JsonSchema)]
struct RatesQuery {
    base: String,
}

#[derive(Debug, Serialize, JsonSchema)]
struct Rates {
    base: String,
    source: String,
}

// #[capability]
// trait RateSource {
//     #[provide_method(effect = read)]
//     async fn rates(&self, query: &RatesQuery) -> Result<Rates, ProviderError>;
// }
trait RateSource: Send + Sync + 'static {
    fn rates<'a>(&'a self, query: &'a RatesQuery) -> gw::BoxFuture<'a, Result<Rates, ProviderError>>;
}

const _: () = {
    impl gw::Capability for dyn RateSource {
        const SPEC: &'static gw::CapabilitySpec = &gw::CapabilitySpec {
            name: "RateSource",
            description: "What every source of exchange rates can do.",
            methods: &[gw::CapabilityMethodSpec { name: "rates", description: "", effect: gw::Effect::Read }],
            source: gw::Source { file: file!(), line: line!() },
        };
    }

    impl RateSource for Providers<dyn RateSource> {
        fn rates<'a>(&'a self, query: &'a RatesQuery) -> gw::BoxFuture<'a, Result<Rates, ProviderError>> {
            // The method's place in SPEC.methods; the reference arguments, for strategies and costs; one attempt.
            gw::run(self, 0, [query as &gw::Argument], move |provider| provider.rates(query))
        }
    }
};

// #[provider(name = "fixed", title = "Fixed rates")]
struct Fixed;

const _: () = {
    impl gw::ProviderIdentity for Fixed {
        const SPEC: &'static gw::ProviderSpec = &gw::ProviderSpec {
            name: "fixed",
            title: "Fixed rates",
            description: "",
            source: gw::Source { file: file!(), line: line!() },
        };
    }

    gw::inventory::submit! {
        gw::ProviderEntry::new::<Fixed>(|_scope| gw::Ok(gw::Arc::new(Fixed)))
        // A struct with fields: gw::Arc::new(Fixed { http: gw::FromApp::from_app(_scope)?, … })
    }
};

// #[provider]
// impl RateSource for Fixed {
//     #[provide_method(cost = "0.0002 USD")]
//     async fn rates(&self, query: &RatesQuery) -> Result<Rates, ProviderError> { … }
// }
impl RateSource for Fixed {
    fn rates<'a>(&'a self, query: &'a RatesQuery) -> gw::BoxFuture<'a, Result<Rates, ProviderError>> {
        Box::pin(async move { Ok(Rates { base: query.base.clone(), source: "fixed".to_owned() }) })
    }
}

const _: () = {
    gw::inventory::submit! {
        gw::ProvisionEntry::new::<dyn RateSource, Fixed>(
            // `cost = path::to::fn` is Cost::Of(|arguments| …) over downcast arguments.
            &[("rates", gw::Cost::Flat(Money::literal(200_000, "USD")))],
            |instance| {
                let provider: gw::Arc<Fixed> = instance.downcast().ok()?;
                gw::Some(gw::Box::new(provider as gw::Arc<dyn RateSource>))
            },
        )
    }
};

// #[service(name = "currency", version = 1, title = "Currency exchange", strategy = Cheapest)]
struct Currency;

const _: () = {
    impl gw::Service for Currency {
        const SPEC: &'static gw::ServiceSpec = &gw::ServiceSpec {
            name: "currency",
            version: 1,
            title: "Currency exchange",
            description: "",
            auth: gw::None,
            scopes: &[],
            source: gw::Source { file: file!(), line: line!() },
        };
    }

    gw::inventory::submit! {
        gw::ServiceEntry::new::<Currency>(
            |_scope| gw::Ok(gw::Arc::new(Currency)),
            gw::Some(|| gw::Arc::new(gateway_runtime::strategy::Cheapest::new())),
        )
    }
};

// #[service]
// impl Currency {
//     /// Latest rates for a base currency.
//     #[expose_method(GET, price = "0.001 USD")]
//     async fn rates(&self, query: RatesQuery, sources: Providers<dyn RateSource>, call: Call) -> Result<Rates> { … }
// }
impl Currency {
    async fn rates(&self, query: RatesQuery, sources: Providers<dyn RateSource>, call: Call) -> Result<Rates> {
        if query.base == "XXX" {
            return Err(Error::not_found(format!("no such currency, says {}", call.method().name)));
        }
        Ok(sources.rates(&query).await?)
    }
}

const _: () = {
    struct RatesMethod;

    impl gw::Exposed for RatesMethod {
        type Service = Currency;
        type Arguments = (RatesQuery, Providers<dyn RateSource>, Call);
        type Output = Result<Rates>;

        async fn call(service: gw::Arc<Currency>, (a0, a1, a2): Self::Arguments) -> Self::Output {
            service.rates(a0, a1, a2).await
        }
    }

    gw::inventory::submit! {
        gw::MethodsEntry::new::<Currency>(&[
            gw::MethodEntry::new::<RatesMethod>(
                gw::MethodSpec {
                    description: "Latest rates for a base currency.",
                    price: gw::Some(Money::literal(1_000_000, "USD")),
                    ..gw::MethodSpec::new("rates", gw::Verb::Get, gw::Source { file: file!(), line: line!() })
                },
                gw::None,
            ),
        ])
    }
};
