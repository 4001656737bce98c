//! An account with money for exactly a thousand calls makes exactly a thousand.

use std::sync::atomic::{AtomicUsize, Ordering};

use futures_util::future::join_all;
use gateway_runtime::prelude::*;

use super::kiosk::{Customer, PRICE, balance, fund, settings};
use crate::database::{Database, each_database};

const CALLS: usize = 1000;
const CALLERS: usize = 64;

each_database! {
    async fn balance_for_a_thousand_calls_pays_for_a_thousand(database: Database) {
        let gateway = Gateway::from_toml(&settings(&database)).unwrap().start().await.unwrap();
        let books = database.books().await;
        fund(&books, PRICE * i64::try_from(CALLS).unwrap()).await;
        let customer = Customer::of(&gateway.url());
        let (bought, refused) = (AtomicUsize::new(0), AtomicUsize::new(0));
        // Each continues until it has been refused ten times, long after the money is spent.
        let hammer = || async {
            let mut refusals = 0;
            while refusals < 10 {
                let answer = customer.buy("bread", "well", &[]).await.unwrap();
                match (answer.status, &*answer.code) {
                    (200, _) => {
                        assert_eq!(
                            (answer.price.as_deref(), answer.currency.as_deref()),
                            (Some("0.001"), Some("USD"))
                        );
                        bought.fetch_add(1, Ordering::Relaxed);
                    }
                    (402, "insufficient-funds") => {
                        refusals += 1;
                        refused.fetch_add(1, Ordering::Relaxed);
                    }
                    other => panic!("{other:?}"),
                }
            }
        };
        join_all((0..CALLERS).map(|_| hammer())).await;
        assert_eq!(bought.into_inner(), CALLS);
        assert_eq!(refused.into_inner(), 10 * CALLERS);
        assert_eq!(balance(&books).await, (0, 0));
        gateway.stop().await.unwrap();
        let rows = books.recent_requests(10_000).await.unwrap();
        let charged = rows.iter().filter(|row| row.price == Some(PRICE) && row.fulfilled).count();
        assert_eq!((charged, rows.len()), (CALLS, CALLS + 10 * CALLERS));
    }
}
