/// What every source of exchange rates can do.
pub trait RateSource: ::core::marker::Send + ::core::marker::Sync + 'static {
    /// The latest rates.
    fn rates<'call>(
        &'call self,
        query: &'call RatesQuery,
    ) -> gw::BoxFuture<'call, Result<Rates, ProviderError>>;
    fn order<'call>(
        &'call self,
        order: Order,
        note: &'call str,
    ) -> gw::BoxFuture<'call, Result<Receipt, ProviderError>>;
}
#[provide_method(__named)]
const _: () = ();
const _: () = {
    use gw::SettleWhole as _;
    impl gw::Capability for dyn RateSource {
        const SPEC: &'static gw::CapabilitySpec = &gw::CapabilitySpec {
            name: "RateSource",
            description: "What every source of exchange rates can do.",
            methods: &[
                gw::CapabilityMethodSpec {
                    name: "rates",
                    description: "The latest rates.",
                    effect: gw::Effect::Read,
                },
                gw::CapabilityMethodSpec {
                    name: "order",
                    description: "",
                    effect: gw::Effect::Once,
                },
            ],
            source: gw::Source {
                file: ::core::file!(),
                line: 1u32,
            },
        };
    }
    #[allow(deprecated)]
    impl RateSource for gw::Providers<dyn RateSource> {
        fn rates<'call>(
            &'call self,
            query: &'call RatesQuery,
        ) -> gw::BoxFuture<'call, Result<Rates, ProviderError>> {
            <Result<
                Rates,
                ProviderError,
            > as gw::Provided>::run(
                self,
                0usize,
                [query as &gw::Argument],
                move |__provider| __provider.rates(query),
                gw::Settling::<Result<Rates, ProviderError>>::HOW,
            )
        }
        fn order<'call>(
            &'call self,
            order: Order,
            note: &'call str,
        ) -> gw::BoxFuture<'call, Result<Receipt, ProviderError>> {
            <Result<
                Receipt,
                ProviderError,
            > as gw::Provided>::run(
                self,
                1usize,
                [],
                move |__provider| __provider.order(gw::again(&order), note),
                gw::Settling::<Result<Receipt, ProviderError>>::HOW,
            )
        }
    }
};
