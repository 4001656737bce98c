//! Durable writes of concurrent calls are committed together.

use futures_util::future::join_all;
use gateway_runtime::prelude::*;

use super::kiosk::{Customer, PRICE, balance, fund, settings};
use crate::database::{self, Database};

const CALLERS: usize = 128;
const CALLS: usize = 50;

/// Each call has a hold and a settlement with its row: two durable commands, in fewer than a tenth
/// of a commit.
#[tokio::test]
async fn commits_are_fewer_than_a_tenth_of_the_calls() {
    let Some(database) = Database::postgres().await else { return };
    let funds = PRICE * i64::try_from(2 * CALLERS * CALLS).unwrap();
    fund(&database.books().await, funds).await;
    let gateway = Gateway::from_toml(&settings(&database)).unwrap().start().await.unwrap();
    let before = database.commits().await;
    let customer = Customer::of(&gateway.url());
    let call = || async {
        for _ in 0..CALLS {
            assert_eq!(customer.buy("bread", "well", &[]).await.unwrap().status, 200);
        }
    };
    join_all((0..CALLERS).map(|_| call())).await;
    // PostgreSQL updates its statistics at the latest when connections end.
    gateway.stop().await.unwrap();
    let calls = i64::try_from(CALLERS * CALLS).unwrap();
    let commits = loop {
        let commits = database.commits().await - before;
        if commits > 1 && !database.is_used().await {
            break commits;
        }
        tokio::task::yield_now().await;
    };
    println!("{calls} calls, {commits} commits");
    assert_eq!(balance(&database.books().await).await, (funds - PRICE * calls, 0));
    assert!(10 * commits < calls, "{commits} commits for {calls} calls");
    database::remove(database.name()).await;
}
