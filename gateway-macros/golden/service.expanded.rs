/// Rates of exchange.
pub struct Currency;
const _: () = {
    impl gw::ServiceIdentity for Currency {
        const SPEC: &'static gw::ServiceSpec = &gw::ServiceSpec {
            name: "currency",
            version: 1u32,
            title: "Currency exchange",
            description: "Rates of exchange.",
            auth: gw::None,
            scopes: &[],
            source: gw::SourceLocation {
                file: ::core::file!(),
                line: 1u32,
            },
        };
    }
    gw::inventory::submit! {
        gw::ServiceEntry::new::<
            Currency,
        >(
            |_| gw::service_instance(Currency {}),
            gw::Some(gw::default_strategy::<Cheapest>),
        )
    }
};
/// The typed client of [`Currency`]: the same methods, called elsewhere.
#[derive(::core::clone::Clone, ::core::fmt::Debug)]
#[allow(dead_code, unreachable_pub)]
pub struct CurrencyClient(gw::Remote);
const _: () = {
    #[allow(unused_imports)]
    use gw::NoService as _;
    impl gw::AsRef<gw::Remote> for CurrencyClient {
        fn as_ref(&self) -> &gw::Remote {
            &self.0
        }
    }
    impl<T: gw::Transport> gw::From<T> for CurrencyClient {
        fn from(__transport: T) -> Self {
            Self(gw::Remote::new(gw::DeclaredService::<Currency>::SPEC, __transport))
        }
    }
    #[allow(dead_code, unreachable_pub)]
    impl Currency {
        /// A typed client of this service: `client(Http::to("http://…"))`.
        pub fn client(transport: impl gw::Transport) -> CurrencyClient {
            gw::From::from(transport)
        }
    }
};
impl Currency {
    /// Latest rates for a base currency.
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn rates(
        &self,
        query: RatesQuery,
        sources: Providers<dyn RateSource>,
    ) -> Result<Rates> {
        Ok(sources.rates(&query).await?)
    }
    #[allow(clippy::needless_pass_by_value, clippy::unused_async, clippy::unused_self)]
    async fn settled(&self, event: Settlement) -> Result<()> {
        Ok(())
    }
}
#[expose_method(__named)]
const _: () = ();
const _: () = {
    #[allow(non_camel_case_types)]
    struct __exposed_rates;
    #[allow(deprecated)]
    impl gw::ExposedMethod for __exposed_rates {
        type Service = Currency;
        type Arguments = (RatesQuery, Providers<dyn RateSource>);
        type Output = Result<Rates>;
        async fn call(
            __service: gw::Arc<Currency>,
            (__a0, __a1): Self::Arguments,
        ) -> Self::Output {
            <Currency>::rates(&__service, __a0, __a1).await
        }
    }
    const _: () = gw::one_input::<__exposed_rates>();
    gw::inventory::submit! {
        gw::MethodEntry::new::<
            __exposed_rates,
        >(
            gw::MethodSpec {
                title: "Rates",
                description: "Latest rates for a base currency.",
                price: gw::Some(gw::Money::literal(1000000i64, "USD")),
                cache: gw::Some(gw::CacheSpec {
                    ttl: gw::Duration::from_millis(60000u64),
                    scope: gw::CacheScope::Account,
                }),
                quota: gw::Some(gw::QuotaSpec {
                    calls: 100u64,
                    per: gw::Duration::from_millis(60000u64),
                }),
                idempotency: gw::IdempotencyMode::None,
                ..gw::MethodSpec::new(
                    "rates",
                    gw::Verb::Get,
                    gw::SourceLocation {
                        file: ::core::file!(),
                        line: 1u32,
                    },
                )
            },
            gw::None,
        )
    }
};
const _: () = {
    #[allow(non_camel_case_types)]
    struct __exposed_settled;
    #[allow(deprecated)]
    impl gw::ExposedMethod for __exposed_settled {
        type Service = Currency;
        type Arguments = (Settlement,);
        type Output = Result<()>;
        async fn call(
            __service: gw::Arc<Currency>,
            (__a0,): Self::Arguments,
        ) -> Self::Output {
            <Currency>::settled(&__service, __a0).await
        }
    }
    const _: () = gw::one_input::<__exposed_settled>();
    gw::inventory::submit! {
        gw::MethodEntry::new::<
            __exposed_settled,
        >(
            gw::MethodSpec {
                title: "Settled",
                description: "",
                idempotency: gw::IdempotencyMode::None,
                webhook: gw::Some(gw::WebhookSpec {
                    secret: "FIXER_WEBHOOK_SECRET",
                }),
                ..gw::MethodSpec::new(
                    "settled",
                    gw::Verb::Post,
                    gw::SourceLocation {
                        file: ::core::file!(),
                        line: 1u32,
                    },
                )
            },
            gw::None,
        )
    }
};
const _: () = {
    #[allow(unused_imports)]
    use gw::NoInput as _;
    #[allow(dead_code)]
    struct CurrencyClient(gw::Remote);
    impl gw::AsRef<gw::Remote> for CurrencyClient {
        fn as_ref(&self) -> &gw::Remote {
            &self.0
        }
    }
    #[allow(deprecated, non_camel_case_types)]
    type __input_of_rates = <gw::ArgumentList<
        { gw::InputProbe::<RatesQuery>::IS_INPUT },
        RatesQuery,
        gw::ArgumentList<
            { gw::InputProbe::<Providers<dyn RateSource>>::IS_INPUT },
            Providers<dyn RateSource>,
            (),
        >,
    > as gw::Select>::Input;
    const _: () = {
        #[allow(unused_imports)]
        use self::*;
        #[allow(dead_code, deprecated, private_interfaces, unreachable_pub)]
        impl CurrencyClient {
            /// Latest rates for a base currency.
            pub fn rates<'a>(
                &'a self,
                input: &'a __input_of_rates,
            ) -> gw::PendingCall<'a, __input_of_rates, Result<Rates>> {
                gw::Remote::call(gw::AsRef::as_ref(self), gw::Verb::Get, "rates", input)
            }
        }
    };
};
