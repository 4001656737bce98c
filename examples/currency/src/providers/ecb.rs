//! The reference rates of the European Central Bank, from a file that is part of the program: the
//! source that is always available.

use std::{collections::BTreeMap, str::FromStr, sync::Arc};

use chrono::NaiveDate;
use futures_util::stream;
use gateway_runtime::prelude::*;
use rust_decimal::Decimal;

use super::{RateHistory, RateSource};
use crate::rates::{DayRate, Exact, HistoryQuery, Rates, RatesQuery, Symbol};

const FILE: &str = include_str!("../../data/eurofxref-hist.csv");

/// Units of each currency for one euro, on one day.
struct Day {
    date: NaiveDate,
    rates: BTreeMap<Symbol, Decimal>,
}

impl Day {
    /// Returns the units of `symbol` for one unit of `base`; `None` if one of them was not
    /// published.
    fn cross(&self, base: Symbol, symbol: Symbol) -> Option<Exact> {
        let rate = self.rates.get(&symbol)?.checked_div(*self.rates.get(&base)?)?;
        // The bank publishes six significant digits; ten decimals preserve them for every pair.
        Some(Exact(rate.round_dp(10).normalize()))
    }
}

/// All days of the file, oldest first.
struct Sheet(Vec<Day>);

impl Sheet {
    fn read(file: &str) -> Result<Self, csv::Error> {
        let mut reader = csv::Reader::from_reader(file.as_bytes());
        let columns: Vec<Option<Symbol>> =
            reader.headers()?.iter().map(|name| Symbol::from_str(name).ok()).collect();
        let mut days = Vec::new();
        for record in reader.into_records() {
            let record = record?;
            let Some(date) = record.get(0).and_then(|date| date.parse().ok()) else { continue };
            let published = columns
                .iter()
                .zip(&record)
                .filter_map(|(symbol, rate)| Some(((*symbol)?, rate.parse().ok()?)));
            let rates = published.chain([(Symbol::EUR, Decimal::ONE)]).collect();
            days.push(Day { date, rates });
        }
        days.sort_by_key(|day| day.date);
        Ok(Self(days))
    }

    /// Returns the last day up to `date`, or the last day of all.
    fn day(&self, date: Option<NaiveDate>) -> Option<&Day> {
        let end = date.map_or(self.0.len(), |date| self.0.partition_point(|day| day.date <= date));
        self.0[..end].last()
    }
}

/// The provider that reads the bank's file.
#[provider(name = "ecb_file", title = "European Central Bank, from a file")]
pub struct EcbFile {
    sheet: EcbSheet,
}

/// The file, parsed once, when the gateway starts.
#[derive(Clone)]
struct EcbSheet(Arc<Sheet>);

impl FromApp for EcbSheet {
    fn from_app(_: &gateway_runtime::BuildContext<'_>) -> Result<Self, StartError> {
        let sheet = Sheet::read(FILE)
            .map_err(|error| StartError::new(format!("the file of rates: {error}")))?;
        Ok(Self(Arc::new(sheet)))
    }
}

#[provider]
impl RateSource for EcbFile {
    #[provide_method(cost = "0 EUR")]
    async fn rates(&self, query: &RatesQuery) -> Result<Rates, ProviderError> {
        let day = self.sheet.0.day(query.date).ok_or_else(before_the_file)?;
        let wanted = if query.symbols.is_empty() { Symbol::ALL } else { &query.symbols };
        let rates: BTreeMap<_, _> = wanted
            .iter()
            .filter_map(|&symbol| Some((symbol, day.cross(query.base, symbol)?)))
            .collect();
        if rates.is_empty() {
            return Err(not_published(query.base, day.date));
        }
        Ok(Rates { base: query.base, date: day.date, rates, source: "ecb_file".to_owned() })
    }
}

#[provider]
impl RateHistory for EcbFile {
    #[provide_method(cost = "0 EUR")]
    async fn history(&self, query: &HistoryQuery) -> Result<Streaming<DayRate>, ProviderError> {
        let sheet = Arc::clone(&self.sheet.0);
        let query = query.clone();
        let start = query.from.map_or(0, |from| sheet.0.partition_point(|day| day.date < from));
        let end = query
            .until
            .map_or(sheet.0.len(), |until| sheet.0.partition_point(|day| day.date <= until));
        // The stream computes one day at a time: it holds a position in the file, not a copy of its
        // content.
        let days = (start..end.max(start)).filter_map(move |at| {
            let day = &sheet.0[at];
            Some(Ok::<_, Error>(DayRate {
                date: day.date,
                rate: day.cross(query.base, query.symbol)?,
            }))
        });
        Ok(Streaming::new(stream::iter(days)))
    }
}

fn before_the_file() -> ProviderError {
    ProviderError::unsupported("the file begins on 2015-01-02")
        .with_public_detail("there are no rates before 2015-01-02")
}

fn not_published(base: Symbol, date: NaiveDate) -> ProviderError {
    ProviderError::unsupported("not published")
        .with_public_detail(format!("no rate of {base} was published for {date}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sheet() -> Sheet {
        Sheet::read(FILE).unwrap()
    }

    #[test]
    fn a_day_without_rates_has_those_of_the_day_before() {
        let sunday = "2026-11-01".parse().unwrap();
        assert_eq!(sheet().day(Some(sunday)).unwrap().date.to_string(), "2026-10-30");
        assert!(sheet().day(Some("2015-01-01".parse().unwrap())).is_none());
    }

    #[test]
    fn rates_cross_through_the_euro() {
        let sheet = sheet();
        let day = sheet.day(Some("2026-10-30".parse().unwrap())).unwrap();
        assert_eq!(day.cross(Symbol::EUR, Symbol::USD).unwrap().0.to_string(), "1.1172");
        // The value of 1 / 1.1172.
        assert_eq!(day.cross(Symbol::USD, Symbol::EUR).unwrap().0.to_string(), "0.8950948801");
        assert_eq!(day.cross(Symbol::HRK, Symbol::EUR), None, "the kuna is no more");
    }
}
