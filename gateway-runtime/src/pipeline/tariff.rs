//! What a call costs its account: what attributes and price lists say together, looked up by method, plan and time.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use crate::{
    call::Call,
    control::{ListedPrice, PriceList},
    money::Money,
    registry::{Method, Registry},
    spec::MethodSpec,
};

/// The price of a call.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Price {
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
        let highest = listed.highest().unwrap_or(listed.price);
        Self { each: listed.price, most, cached: listed.cached.unwrap_or(highest) }
    }

    /// The most that the call can cost.
    pub(super) fn highest(&self) -> Money {
        // That it can be written is known since the list was judged.
        self.each.checked_mul(self.most.unwrap_or(1).into()).unwrap_or(self.each)
    }

    /// What an answer from the cache costs.
    pub(super) fn cached(&self) -> Money {
        self.cached
    }

    /// What a fulfilled call costs.
    pub(super) fn of(&self, call: &Call) -> Money {
        let Some(most) = self.most else { return self.each };
        let units = call.units().min(most.into());
        self.each.checked_mul(i64::try_from(units).unwrap_or(i64::MAX)).unwrap_or(self.highest())
    }
}

/// All prices.
#[derive(Debug, Default)]
pub(super) struct Tariffs(HashMap<usize, Tariff, RandomState>);

/// The prices of one method.
#[derive(Debug, Default)]
struct Tariff {
    attribute: Option<Price>,
    general: Timeline,
    plans: HashMap<Box<str>, Timeline>,
}

/// What one list after the other says of a method, by the moment from which it holds, in microseconds since 1970.
#[derive(Debug, Default)]
struct Timeline(Vec<(i64, Option<Price>)>);

impl Timeline {
    fn at(&self, time: i64) -> Option<Price> {
        self.0.iter().rev().find(|(from, _)| *from <= time)?.1
    }
}

impl Tariffs {
    /// What the attributes of `registry` and `lists`, which are in their order in time, say together.
    pub(super) fn new(registry: &Registry, lists: &[PriceList]) -> Self {
        let tariffs = registry.methods().filter_map(|method| Some((method.spec.place(), Tariff::of(method, lists)?)));
        Self(tariffs.collect())
    }

    /// Whether calls of a method can cost anything.
    pub(super) fn has(&self, method: &'static MethodSpec) -> bool {
        self.0.contains_key(&method.place())
    }

    /// What a call that begins at `time` (microseconds since 1970) costs; none when it costs nothing.
    pub(super) fn price(&self, method: &'static MethodSpec, plan: Option<&str>, time: i64) -> Option<Price> {
        let tariff = self.0.get(&method.place())?;
        let of_plan = plan.and_then(|plan| tariff.plans.get(plan)?.at(time));
        of_plan.or_else(|| tariff.general.at(time)).or(tariff.attribute).filter(|price| price.highest().nanos() > 0)
    }
}

impl Tariff {
    fn of(method: &Method, lists: &[PriceList]) -> Option<Self> {
        let mut tariff = Self { attribute: method.spec.price.map(Price::flat), ..Self::default() };
        let of_it = |listed: &&ListedPrice| {
            (&*listed.service, listed.version, &*listed.method)
                == (method.service.name, method.service.version, method.spec.name)
        };
        for list in lists {
            let price = list.prices.iter().find(of_it).map(Price::listed);
            let timeline = match &list.plan {
                Some(plan) => tariff.plans.entry(plan.clone()).or_default(),
                None => &mut tariff.general,
            };
            timeline.0.push((list.effective_at.timestamp_micros(), price));
        }
        let is_some = |(_, price): &(i64, Option<Price>)| price.is_some();
        let is_listed = tariff.plans.values().chain([&tariff.general]).any(|timeline| timeline.0.iter().any(is_some));
        (is_listed || tariff.attribute.is_some()).then_some(tariff)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn usd(nanos: i64) -> Money {
        Money::literal(nanos, "USD")
    }

    #[test]
    fn what_no_list_says_the_attribute_says() {
        let list = |from, price: Option<i64>| (from, price.map(usd).map(Price::flat));
        let tariff = Tariff {
            attribute: Some(Price::flat(usd(1))),
            general: Timeline(vec![list(100, Some(2)), list(200, None), list(300, Some(3)), list(300, Some(4))]),
            plans: HashMap::from([("gold".into(), Timeline(vec![list(250, Some(5)), list(350, Some(0))]))]),
        };
        static SPEC: MethodSpec =
            MethodSpec::new("m", crate::spec::Verb::Get, crate::spec::Source { file: "", line: 0 });
        let tariffs = Tariffs([(SPEC.place(), tariff)].into_iter().collect());
        let price = |plan, time| tariffs.price(&SPEC, plan, time).map_or(0, |price| price.highest().nanos());
        for (time, general, gold) in [(99, 1, 1), (100, 2, 2), (200, 1, 1), (250, 1, 5), (300, 4, 5), (350, 4, 0)] {
            assert_eq!((price(None, time), price(Some("gold"), time)), (general, gold), "at {time}");
            assert_eq!(price(Some("silver"), time), general);
        }
    }
}
