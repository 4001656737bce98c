//! The price table: attributes and price lists together, looked up by method, plan and time.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::{
    base::{call::Call, money::Money, spec::MethodSpec},
    control::{ListedPrice, PriceList},
    service::registry::{Method, Registry},
};

/// The price of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::pipeline) struct Price {
    /// The price of a fulfilled call, or of each unit that it uses.
    each: Money,
    /// The maximum of units that are charged; none if the price is for the call.
    most: Option<u32>,
    /// The price of a cache hit.
    cached: Money,
}

impl Price {
    fn flat(price: Money) -> Self {
        Self { each: price, most: None, cached: price }
    }

    fn listed(listed: &ListedPrice) -> Self {
        let most = listed.per.as_ref().map(|per| per.most);
        let highest = listed.maximum().unwrap_or(listed.price);
        Self { each: listed.price, most, cached: listed.cached.unwrap_or(highest) }
    }

    /// Returns the highest price of the call.
    pub(in crate::pipeline) fn highest(&self) -> Money {
        // The product is representable: the price list was validated.
        self.each.checked_mul(self.most.unwrap_or(1).into()).unwrap_or(self.each)
    }

    /// Returns the price of a cache hit.
    pub(in crate::pipeline) fn cached(&self) -> Money {
        self.cached
    }

    /// Returns the price of a fulfilled call.
    pub(in crate::pipeline) fn of(&self, call: &Call) -> Money {
        let Some(most) = self.most else { return self.each };
        let units = call.usage().min(most.into());
        self.each.checked_mul(i64::try_from(units).unwrap_or(i64::MAX)).unwrap_or(self.highest())
    }
}

/// The prices of all methods: of attributes, general price lists and price lists of plans.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct PriceTable {
    attributes: MethodPrices,
    general: Timeline,
    plans: HashMap<Box<str>, Timeline>,
}

/// The prices of methods, by the identity of their specification.
type MethodPrices = HashMap<usize, Price, RandomState>;

/// Price lists by the time from which they are in effect, in microseconds since 1970, in their
/// order.
#[derive(Debug, Default)]
struct Timeline(Vec<(i64, MethodPrices)>);

impl Timeline {
    fn price(&self, place: usize, time: i64) -> Option<Price> {
        let (_, list) = self.0.iter().rev().find(|(from, _)| *from <= time)?;
        list.get(&place).copied()
    }

    fn lists(&self) -> impl Iterator<Item = &MethodPrices> {
        self.0.iter().map(|(_, list)| list)
    }
}

impl PriceTable {
    /// Creates the table from the attributes of `registry` and from `lists`, which are in their
    /// order in time.
    pub(in crate::pipeline) fn new<'l>(
        registry: &Registry,
        lists: impl IntoIterator<Item = &'l PriceList>,
    ) -> Self {
        let name =
            |method: &Method| (method.service.name, method.service.version, method.spec.name);
        let places: HashMap<_, _> =
            registry.methods().map(|method| (name(method), method.spec.identity())).collect();
        let attributes = registry
            .methods()
            .filter_map(|m| Some((m.spec.identity(), Price::flat(m.spec.price?))));
        let mut this = Self { attributes: attributes.collect(), ..Self::default() };
        for list in lists {
            let of_a_method = |listed: &ListedPrice| {
                // A newer gateway may have set prices of methods that this one lacks.
                let place = places.get(&(&*listed.service, listed.version, &*listed.method))?;
                Some((*place, Price::listed(listed)))
            };
            let prices = list.prices.iter().filter_map(of_a_method).collect();
            let timeline = match &list.plan {
                Some(plan) => this.plans.entry(plan.clone()).or_default(),
                None => &mut this.general,
            };
            timeline.0.push((list.effective_at.timestamp_micros(), prices));
        }
        this
    }

    /// Returns whether calls of a method can cost anything.
    pub(in crate::pipeline) fn has(&self, method: &'static MethodSpec) -> bool {
        let place = method.identity();
        let mut lists = self.plans.values().chain([&self.general]).flat_map(Timeline::lists);
        self.attributes.contains_key(&place) || lists.any(|list| list.contains_key(&place))
    }

    /// Returns the price of a call that begins at `time` (microseconds since 1970); `None` if it
    /// costs nothing.
    pub(in crate::pipeline) fn price(
        &self,
        method: &'static MethodSpec,
        plan: Option<&str>,
        time: i64,
    ) -> Option<Price> {
        let place = method.identity();
        let of_plan = plan.and_then(|plan| self.plans.get(plan)?.price(place, time));
        let price = of_plan
            .or_else(|| self.general.price(place, time))
            .or_else(|| self.attributes.get(&place).copied());
        price.filter(|price| price.highest().nanos() > 0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::base::spec::{SourceLocation, Verb};

    #[test]
    fn attribute_price_applies_when_no_list_has_one() {
        static SPEC: MethodSpec =
            MethodSpec::new("m", Verb::Get, SourceLocation { file: "", line: 0 });
        let flat = |nanos| Price::flat(Money::literal(nanos, "USD"));
        let list = |price: Option<i64>| {
            price.map(|nanos| (SPEC.identity(), flat(nanos))).into_iter().collect::<MethodPrices>()
        };
        let timeline = |lists: &[(i64, Option<i64>)]| {
            Timeline(lists.iter().map(|(from, price)| (*from, list(*price))).collect())
        };
        let tariffs = PriceTable {
            attributes: list(Some(1)),
            general: timeline(&[
                (-9, Some(99)),
                (100, Some(2)),
                (200, None),
                (300, Some(3)),
                (300, Some(4)),
            ]),
            plans: HashMap::from([("gold".into(), timeline(&[(250, Some(5)), (350, Some(0))]))]),
        };
        let price = |plan, time| {
            tariffs.price(&SPEC, plan, time).map_or(0, |price| price.highest().nanos())
        };
        for (time, general, gold) in
            [(99, 99, 99), (100, 2, 2), (200, 1, 1), (250, 1, 5), (300, 4, 5), (350, 4, 0)]
        {
            assert_eq!(
                (price(None, time), price(Some("gold"), time)),
                (general, gold),
                "at {time}"
            );
            assert_eq!(price(Some("silver"), time), general);
        }
    }
}
