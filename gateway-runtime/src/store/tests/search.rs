//! The search of requests finds the same, in the same order, as a scan of all rows.

use super::*;
use crate::store::{RequestQuery, migrations::GATEWAY, sql::sqlite};

/// Returns requests whose columns have few values, some of them rare.
fn requests(random: &mut fastrand::Rng, count: usize) -> Vec<RequestRecord> {
    let pick = |random: &mut fastrand::Rng, values: &[&str]| {
        // The first is frequent, the last is rare.
        let place = (random.f64().powi(3) * values.len() as f64) as usize;
        values[place].to_owned()
    };
    let maybe = |random: &mut fastrand::Rng, values: &[&str]| {
        Some(pick(random, values)).filter(|it| !it.is_empty())
    };
    (0..count)
        .map(|number| {
            let at = 1_700_000_000_000_000 + number as i64 * 1_000_000;
            let call = format!("{:012x}{number:020}", at / 1000);
            let fulfilled = random.u8(..) > 20;
            let cost = [None, Some(0), Some(random.i64(0..50)), Some(200_000)][random.usize(..4)];
            RequestRecord {
                request_id: pick(random, &["same", "other", "third"]) + &random.u8(..3).to_string(),
                at,
                account: maybe(random, &["acme", "", "blue", "cyan"]).map(Into::into),
                user: maybe(random, &["", "ann", "bob", "eve"]).map(Into::into),
                origin: pick(random, &["http", "ws", "webhook"]).into(),
                service: pick(random, &["currency", "email"]).into(),
                version: random.u32(1..3),
                method: pick(random, &["rates", "send", "convert"]).into(),
                status: if fulfilled { 200 } else { random.u16(500..503) },
                code: (!fulfilled).then(|| pick(random, &["timeout", "no-provider"]).into()),
                fulfilled,
                cache_hit: random.u8(..) < 3,
                replay: random.u8(..) < 2,
                price: [None, Some(1_000_000), Some(random.i64(0..9))][random.usize(..3)],
                currency: Currency::from_code("USD"),
                cost,
                cost_currency: cost
                    .and_then(|_| Currency::from_code(&pick(random, &["USD", "EUR"]))),
                provider: maybe(random, &["fixer_io", "ecb", ""]).map(Into::into),
                peer: maybe(random, &["::1", "192.0.2.1", "192.0.2.2", ""]),
                trace: maybe(random, &["", "", "4bf92f3577b34da6a3ce929d0e0e4736"]),
                ..unpaid(call.into()).request
            }
        })
        .collect()
}

/// Returns a query for values of one of the requests in some columns, so that it finds that
/// request; sometimes for a value that no request has.
fn search(random: &mut fastrand::Rng, rows: &[RequestRecord]) -> RequestQuery {
    let row = &rows[random.usize(..rows.len())];
    let mut some = || random.u8(..4) == 0;
    let owned = |text: &Option<Arc<str>>| text.as_ref().map(|text| text.to_string());
    let mut search = RequestQuery {
        request_id: some().then(|| row.request_id.clone()),
        account: owned(&row.account).filter(|_| some()),
        user: owned(&row.user).filter(|_| some()),
        origin: some().then(|| row.origin.to_string()),
        service: some().then(|| row.service.to_string()),
        version: some().then_some(row.version),
        method: some().then(|| row.method.to_string()),
        status: some().then_some(row.status),
        code: row.code.as_ref().map(ToString::to_string).filter(|_| some()),
        fulfilled: some().then_some(row.fulfilled),
        cache_hit: some().then_some(row.cache_hit),
        replay: some().then_some(row.replay),
        provider: row.provider.as_ref().map(ToString::to_string).filter(|_| some()),
        currency: row.currency.map(|it| it.to_string()).filter(|_| some()),
        peer: row.peer.clone().filter(|_| some()),
        trace: row.trace.clone().filter(|_| some()),
        min_price: row.price.filter(|_| some()),
        max_price: row.price.filter(|_| some()),
        min_cost: row.cost.filter(|_| some()),
        max_cost: row.cost.filter(|_| some()),
        since: some().then(|| row.at - 300_000_000),
        until: some().then(|| row.at + 1),
        before: None,
    };
    match random.u8(..40) {
        0 => search.account = Some("nobody".to_owned()),
        1 => search.method = Some("nothing' OR true --".to_owned()),
        2 => search.user = Some("nobody' OR true --".to_owned()),
        3 => search.min_cost = Some(i64::MAX),
        4 => search.since = Some(i64::MAX),
        5 => search.until = Some(i64::MIN),
        6 => search = RequestQuery::default(),
        _ => {}
    }
    search
}

fn is_found(search: &RequestQuery, row: &RequestRecord) -> bool {
    fn same<T: PartialEq>(asked: &Option<T>, has: Option<T>) -> bool {
        asked.is_none() || *asked == has
    }
    let text = |text: &Option<Arc<str>>| text.as_ref().map(|text| text.to_string());
    same(&search.request_id, Some(row.request_id.clone()))
        && same(&search.account, text(&row.account))
        && same(&search.user, text(&row.user))
        && same(&search.origin, Some(row.origin.to_string()))
        && same(&search.service, Some(row.service.to_string()))
        && same(&search.version, Some(row.version))
        && same(&search.method, Some(row.method.to_string()))
        && same(&search.status, Some(row.status))
        && same(&search.code, row.code.as_ref().map(ToString::to_string))
        && same(&search.fulfilled, Some(row.fulfilled))
        && same(&search.cache_hit, Some(row.cache_hit))
        && same(&search.replay, Some(row.replay))
        && same(&search.provider, row.provider.as_ref().map(ToString::to_string))
        && same(&search.currency, row.currency.map(|it| it.to_string()))
        && same(&search.peer, row.peer.clone())
        && same(&search.trace, row.trace.clone())
        && search.min_price.is_none_or(|least| row.price.is_some_and(|price| price >= least))
        && search.max_price.is_none_or(|most| row.price.is_some_and(|price| price <= most))
        && search.min_cost.is_none_or(|least| row.cost.is_some_and(|cost| cost >= least))
        && search.max_cost.is_none_or(|most| row.cost.is_some_and(|cost| cost <= most))
        && search.since.is_none_or(|since| row.at >= since)
        && search.until.is_none_or(|until| row.at < until)
        && search.before.as_ref().is_none_or(|before| *row.call < **before)
}

/// Tests in a database without other writers.
async fn test(store: Store) {
    let mut random = fastrand::Rng::with_seed(7);
    let rows = requests(&mut random, 3000);
    for rows in rows.chunks(500) {
        let changes: Vec<_> = rows
            .iter()
            .map(|request| settle(Settlement { request: request.clone(), hold: None, claim: None }))
            .collect();
        store.commit(&changes).await.unwrap();
    }
    for number in 0..600 {
        let mut search = search(&mut random, &rows);
        let expected: Vec<_> =
            rows.iter().rev().filter(|row| is_found(&search, row)).cloned().collect();
        let found = store.search(&search, 7).await.unwrap();
        assert_eq!(found, expected[..expected.len().min(7)], "{number}: {search:?}");
        // The next page starts at the end of the first.
        search.before = found.last().map(|row| row.call.to_string()).filter(|_| found.len() == 7);
        if search.before.is_some() {
            let next = store.search(&search, 1000).await.unwrap();
            assert_eq!(next, expected[7..expected.len().min(1007)], "{number}: {search:?}");
        }
    }
}

#[tokio::test]
async fn in_sqlite() {
    let file = File::new();
    test(file.store().await).await;
}

#[cfg(feature = "postgres")]
#[tokio::test]
async fn in_postgres() {
    if let Some(database) = server::new_database().await {
        test(Store::new(crate::store::Postgres::connect(&database, 2).await.unwrap())).await;
    }
}

#[tokio::test]
async fn requests_survive_the_migration_to_kinds() {
    let file = File::new();
    let rows = requests(&mut fastrand::Rng::with_seed(8), 200);
    let changes: Vec<_> = rows
        .iter()
        .map(|request| settle(Settlement { request: request.clone(), hold: None, claim: None }))
        .collect();
    file.store().await.commit(&changes).await.unwrap();
    sqlite::migrator(&file.path()).await.unwrap().migrate_to(&GATEWAY, 2).await.unwrap();
    let store = file.store().await;
    let kept = store.recent_requests(1000).await.unwrap();
    assert_eq!(kept, rows.into_iter().rev().collect::<Vec<_>>());
    // Requests of the kind that the migration wrote and of the same kind written later are both
    // found.
    let again = RequestRecord { call: "f".into(), ..kept[0].clone() };
    store.commit(&[settle(Settlement { request: again, hold: None, claim: None })]).await.unwrap();
    let search = RequestQuery {
        service: Some(kept[0].service.to_string()),
        status: Some(kept[0].status),
        ..RequestQuery::default()
    };
    let found = store.search(&search, 2).await.unwrap();
    assert_eq!((&*found[0].call, &found[1].service), ("f", &kept[0].service));
}
