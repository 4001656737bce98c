//! What a call costs its account: what attributes and price lists say together, looked up by method, plan and time.

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
    /// Of a fulfilled call, or of each unit that it uses.
    each: Money,
    /// The most units that are charged for; none when the price is for the call.
    most: Option<u32>,
    /// Of an answer from the cache.
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

    /// The most that the call can cost.
    pub(in crate::pipeline) fn highest(&self) -> Money {
        // That it can be written is known since the list was judged.
        self.each.checked_mul(self.most.unwrap_or(1).into()).unwrap_or(self.each)
    }

    /// What an answer from the cache costs.
    pub(in crate::pipeline) fn cached(&self) -> Money {
        self.cached
    }

    /// What a fulfilled call costs.
    pub(in crate::pipeline) fn of(&self, call: &Call) -> Money {
        let Some(most) = self.most else { return self.each };
        let units = call.usage().min(most.into());
        self.each.checked_mul(i64::try_from(units).unwrap_or(i64::MAX)).unwrap_or(self.highest())
    }
}

/// All prices.
#[derive(Debug, Default)]
pub(in crate::pipeline) struct PriceTable {
    attributes: MethodPrices,
    general: Timeline,
    plans: HashMap<Box<str>, Timeline>,
}

/// Prices of methods, by where their specifications stand in the program.
type MethodPrices = HashMap<usize, Price, RandomState>;

/// One list after the other, by the moment from which it holds, in microseconds since 1970.
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
    /// What the attributes of `registry` and `lists`, which are in their order in time, say together.
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
                // A newer gateway may have methods that this one has not.
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

    /// Whether calls of a method can cost anything.
    pub(in crate::pipeline) fn has(&self, method: &'static MethodSpec) -> bool {
        let place = method.identity();
        let mut lists = self.plans.values().chain([&self.general]).flat_map(Timeline::lists);
        self.attributes.contains_key(&place) || lists.any(|list| list.contains_key(&place))
    }

    /// What a call that begins at `time` (microseconds since 1970) costs; none when it costs nothing.
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
    fn what_no_list_says_the_attribute_says() {
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
