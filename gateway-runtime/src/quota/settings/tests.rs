//! Tests of `settings`.

use serde_json::Value;

use super::*;
use crate::json::section::parse_section;

#[test]
fn rates_are_written_as_in_attributes() {
    assert_eq!(read("100/min"), Some(Rate { calls: 100, per: Duration::from_secs(60) }));
    for wrong in ["", "100", "/min", "0/min", "-1/min", "1/week", "1/min ", "1.5/s"] {
        assert_eq!(read(wrong), None, "{wrong}");
    }
}

fn settings(text: &str) -> Result<QuotaSettings, Vec<String>> {
    let table: toml::Table = text.parse().unwrap();
    parse_section("quota", serde_json::to_value(table).unwrap())
}

#[test]
fn settings_are_serialized_as_they_were_parsed() {
    let read = settings(
        "total = '1000/min'\nreplicas = 4\nservices = { currency = { concurrency = 10 } }\n\
         plans.gold = { total = { rate = '5000/min', concurrency = 50 } }\n\
         [accounts.acme.methods]\n'currency/v1/rates' = '7/day'",
    );
    let read = read.unwrap();
    assert_eq!(read.services["currency"], LimitSettings { rate: None, concurrency: Some(10) });
    assert_eq!(read.plans["gold"].total.concurrency, Some(50));
    assert_eq!(read.accounts["acme"].methods["currency/v1/rates"].rate.unwrap().calls, 7);
    let written: Value = serde_json::to_value(&read).unwrap();
    assert_eq!(written["total"], json!({ "rate": "1000/min" }));
    assert_eq!(parse_section::<QuotaSettings>("quota", written).unwrap(), read);
}

#[test]
fn every_problem_names_its_key() {
    let wrong = "total = '10/week'\nservices.a = { rates = '1/s' }\n\
                 methods.b = { concurrency = 0 }\n\
                 plans.c = { totl = '1/s' }\nreplicas = 0\naccounts.d.total = 5";
    let problems = settings(wrong).unwrap_err();
    let all = problems.join("\n");
    for place in [
        "`quota.total`",
        "`quota.services.a",
        "`quota.methods.b.concurrency`",
        "`quota.plans.c",
        "`quota.replicas`",
        "`quota.accounts.d.total`",
    ] {
        assert!(all.contains(place), "{place}: {all}");
    }
    assert_eq!(problems.len(), 6, "{all}");
}
