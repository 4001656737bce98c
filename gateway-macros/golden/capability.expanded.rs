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
    use gw::DefaultCompletion as _;
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
            source: gw::SourceLocation {
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
            > as gw::CapabilityResult>::run(
                self,
                0usize,
                [query as &gw::Argument],
                move |__provider| __provider.rates(query),
                gw::CompletionOf::<Result<Rates, ProviderError>>::MODE,
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
            > as gw::CapabilityResult>::run(
                self,
                1usize,
                [],
                move |__provider| __provider.order(gw::clone_for_retry(&order), note),
                gw::CompletionOf::<Result<Receipt, ProviderError>>::MODE,
            )
        }
    }
};
