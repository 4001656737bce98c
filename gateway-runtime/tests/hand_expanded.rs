//! The expansion of the macros for one capability, two providers and a service, written by hand:
//! the runtime's side of the contract between the two crates.

use std::{
    sync::mpsc::{self, Receiver, Sender},
    time::Duration,
};

use gateway_runtime::{
    __private as gw, Call, Error, Money, ProviderError, Providers, Result,
    client::{ClientError, Expected, Transport, TransportRequest, TransportResponse},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
struct RatesQuery {
    base: String,
}

#[derive(Debug, Serialize, Deserialize, JsonSchema)]
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
    fn rates<'a>(
        &'a self,
        query: &'a RatesQuery,
    ) -> gw::BoxFuture<'a, Result<Rates, ProviderError>>;
}

const _: () = {
    use gw::DefaultCompletion as _;

    impl gw::Capability for dyn RateSource {
        const SPEC: &'static gw::CapabilitySpec = &gw::CapabilitySpec {
            name: "RateSource",
            description: "What every source of exchange rates can do.",
            methods: &[gw::CapabilityMethodSpec {
                name: "rates",
                description: "",
                effect: gw::Effect::Read,
            }],
            source: gw::SourceLocation { file: file!(), line: line!() },
        };
    }

    impl RateSource for Providers<dyn RateSource> {
        fn rates<'a>(
            &'a self,
            query: &'a RatesQuery,
        ) -> gw::BoxFuture<'a, Result<Rates, ProviderError>> {
            // The method's index in SPEC.methods; the reference arguments, for strategies and
            // costs; one attempt; and, resolved by the method's return type, whether its reply is
            // settled as a whole or with its first item.
            <Result<Rates, ProviderError> as gw::CapabilityResult>::run(
                self,
                0,
                [query as &gw::Argument],
                move |provider| provider.rates(query),
                gw::CompletionOf::<Result<Rates, ProviderError>>::MODE,
            )
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
            source: gw::SourceLocation { file: file!(), line: line!() },
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
    fn rates<'a>(
        &'a self,
        query: &'a RatesQuery,
    ) -> gw::BoxFuture<'a, Result<Rates, ProviderError>> {
        Box::pin(async move { Ok(Rates { base: query.base.clone(), source: "fixed".to_owned() }) })
    }
}

const _: () = {
    gw::inventory::submit! {
        gw::ProvisionEntry::new::<dyn RateSource, Fixed>(
            // `cost = path::to::fn` is Cost::Of(|arguments|
            // Some(path::to::fn(gw::argument(arguments, 0)?))).
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
    impl gw::ServiceIdentity for Currency {
        const SPEC: &'static gw::ServiceSpec = &gw::ServiceSpec {
            name: "currency",
            version: 1,
            title: "Currency exchange",
            description: "",
            auth: gw::None,
            scopes: &[],
            source: gw::SourceLocation { file: file!(), line: line!() },
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
//     async fn rates(
//         &self,
//         query: RatesQuery,
//         sources: Providers<dyn RateSource>,
//         call: Call,
//     ) -> Result<Rates> { … }
// }
impl Currency {
    async fn rates(
        &self,
        query: RatesQuery,
        sources: Providers<dyn RateSource>,
        call: Call,
    ) -> Result<Rates> {
        if query.base == "XXX" {
            return Err(Error::not_found(format!("no such currency, says {}", call.method().name)));
        }
        Ok(sources.rates(&query).await?)
    }
}

const _: () = {
    struct RatesMethod;

    impl gw::ExposedMethod for RatesMethod {
        type Service = Currency;
        type Arguments = (RatesQuery, Providers<dyn RateSource>, Call);
        type Output = Result<Rates>;

        async fn call(service: gw::Arc<Currency>, (a0, a1, a2): Self::Arguments) -> Self::Output {
            service.rates(a0, a1, a2).await
        }
    }

    gw::inventory::submit! {
        gw::MethodEntry::new::<RatesMethod>(
            gw::MethodSpec {
                description: "Latest rates for a base currency.",
                price: gw::Some(Money::literal(1_000_000, "USD")),
                ..gw::MethodSpec::new(
                    "rates",
                    gw::Verb::Get,
                    gw::SourceLocation { file: file!(), line: line!() },
                )
            },
            gw::None,
        )
    }
};

/// The typed client of [`Currency`], made by `Currency::client`.
#[derive(Clone, Debug)]
#[allow(dead_code, unreachable_pub)]
pub struct CurrencyClient(gw::Remote);

const _: () = {
    // Distinguishes the types of arguments; see `gateway_runtime::client::select`.
    #[allow(unused_imports)]
    use gw::{NoInput as _, NoService as _};

    impl<T: gw::Transport> gw::From<T> for CurrencyClient {
        fn from(transport: T) -> Self {
            Self(gw::Remote::new(gw::DeclaredService::<Currency>::SPEC, transport))
        }
    }

    impl gw::AsRef<gw::Remote> for CurrencyClient {
        fn as_ref(&self) -> &gw::Remote {
            &self.0
        }
    }

    #[allow(dead_code, unreachable_pub)]
    impl Currency {
        /// A typed client of this service: `Currency::client(Http::to("http://…"))`.
        pub fn client(transport: impl gw::Transport) -> CurrencyClient {
            gw::From::from(transport)
        }
    }

    #[allow(non_camel_case_types)]
    type __input_of_rates = <gw::ArgumentList<
        { gw::InputProbe::<RatesQuery>::IS_INPUT },
        RatesQuery,
        gw::ArgumentList<
            { gw::InputProbe::<Providers<dyn RateSource>>::IS_INPUT },
            Providers<dyn RateSource>,
            gw::ArgumentList<{ gw::InputProbe::<Call>::IS_INPUT }, Call, ()>,
        >,
    > as gw::Select>::Input;

    #[allow(dead_code, private_interfaces)]
    impl CurrencyClient {
        /// Latest rates for a base currency.
        pub fn rates<'a>(
            &'a self,
            input: &'a __input_of_rates,
        ) -> gw::PendingCall<'a, __input_of_rates, Result<Rates>> {
            gw::Remote::call(gw::AsRef::as_ref(self), gw::Verb::Get, "rates", input)
        }

        /// A method without input, whose arguments the SDK provides.
        pub fn ping(&self) -> gw::PendingCall<'_, (), Result<()>> {
            gw::Remote::call(gw::AsRef::as_ref(self), gw::Verb::Post, "ping", &())
        }
    }
};

/// A transport that records calls, and returns a scripted reply.
struct Scripted {
    answer: fn() -> Result<TransportResponse, ClientError>,
    called: Sender<TransportRequest>,
}

impl Transport for Scripted {
    fn call(
        &self,
        request: TransportRequest,
    ) -> gw::BoxFuture<'static, Result<TransportResponse, ClientError>> {
        // Some tests have dropped the receiver.
        let _ = self.called.send(request);
        let answer = (self.answer)();
        Box::pin(async move { answer })
    }
}

fn scripted(
    answer: fn() -> Result<TransportResponse, ClientError>,
) -> (CurrencyClient, Receiver<TransportRequest>) {
    let (called, calls) = mpsc::channel();
    (Currency::client(Scripted { answer, called }), calls)
}

#[tokio::test]
async fn client_sends_the_input_among_the_arguments() {
    let (client, calls) =
        scripted(|| Ok(TransportResponse::Json(r#"{"base":"EUR","source":"fixed"}"#.into())));
    let query = RatesQuery { base: "EUR".to_owned() };
    let call = client
        .rates(&query)
        .idempotency_key("a \"b\"")
        .bearer("token")
        .timeout(Duration::from_secs(3));
    let rates: Rates = call.await.unwrap();
    assert_eq!((rates.base.as_str(), rates.source.as_str()), ("EUR", "fixed"));
    let request = calls.try_recv().unwrap();
    assert_eq!(
        (request.service.name, request.service.version, request.method),
        ("currency", 1, "rates")
    );
    assert_eq!((request.verb, &*request.input), (gw::Verb::Get, &br#"{"base":"EUR"}"#[..]));
    assert_eq!(request.headers["idempotency-key"], r#""a \"b\"""#);
    assert_eq!(request.headers["authorization"], "Bearer token");
    assert_eq!(
        (request.timeout, request.expected),
        (Some(Duration::from_secs(3)), Expected::Value)
    );
}

#[tokio::test]
async fn method_without_input_sends_no_body() {
    let (client, calls) = scripted(|| Ok(TransportResponse::Empty));
    client.ping().await.unwrap();
    assert!(calls.try_recv().unwrap().input.is_empty());
}

#[tokio::test]
async fn invalid_request_is_not_sent() {
    let (client, calls) = scripted(|| Ok(TransportResponse::Empty));
    for call in [
        client.ping().idempotency_key(""),
        client.ping().header("a b", "c"),
        client.ping().bearer("\n"),
    ] {
        assert!(matches!(call.await, Err(ClientError::InvalidRequest(_))));
    }
    assert!(calls.try_recv().is_err());
}

#[tokio::test]
async fn reply_of_another_type_is_an_error_with_its_position() {
    let (client, _) =
        scripted(|| Ok(TransportResponse::Json(r#"{"base":7,"source":"fixed"}"#.into())));
    let error = client.rates(&RatesQuery { base: "EUR".to_owned() }).await.unwrap_err();
    assert!(error.to_string().contains("base: invalid type: integer `7`"), "{error}");
}
