/// The rates of fixer.io.
pub struct FixerIo {
    http: HttpClient,
    config: Config<FixerConfig>,
}
const _: () = {
    impl gw::ProviderIdentity for FixerIo {
        const SPEC: &'static gw::ProviderSpec = &gw::ProviderSpec {
            name: "fixer_io",
            title: "Fixer.io",
            description: "The rates of fixer.io.",
            source: gw::SourceLocation {
                file: ::core::file!(),
                line: 1u32,
            },
        };
    }
    gw::inventory::submit! {
        gw::ProviderEntry::new::<
            FixerIo,
        >(|__scope| gw::provider_instance(FixerIo {
            http: <HttpClient as gw::FromApp>::from_app(__scope)?,
            config: <Config<FixerConfig> as gw::FromApp>::from_app(__scope)?,
        }))
    }
};
impl RateSource for FixerIo {
    fn rates<'call>(
        &'call self,
        query: &'call RatesQuery,
    ) -> gw::BoxFuture<'call, Result<Rates, ProviderError>> {
        gw::Box::pin(async move {
            if let gw::Some(__answer) = gw::None::<Result<Rates, ProviderError>> {
                return __answer;
            }
            {
                let body = self.http.get(&query.base).await?;
                Ok(body)
            }
        })
    }
    fn order<'call>(
        &'call self,
        order: Order,
        note: &'call str,
    ) -> gw::BoxFuture<'call, Result<Receipt, ProviderError>> {
        gw::Box::pin(async move {
            if let gw::Some(__answer) = gw::None::<Result<Receipt, ProviderError>> {
                return __answer;
            }
            { Ok(Receipt) }
        })
    }
}
#[provide_method(__named)]
const _: () = ();
const _: () = {
    gw::inventory::submit! {
        gw::ProvisionEntry::new::<
            dyn RateSource,
            FixerIo,
        >(
            &[
                ("rates", gw::Cost::Flat(gw::Money::literal(200000i64, "USD"))),
                (
                    "order",
                    gw::Cost::PerRequest(|_| { gw::Some(<FixerIo>::order_cost()) }),
                ),
            ],
            |__instance| {
                let __provider: gw::Arc<dyn RateSource> = gw::downcast::<
                    FixerIo,
                >(__instance)?;
                gw::Some(gw::Box::new(__provider))
            },
        )
    }
};
