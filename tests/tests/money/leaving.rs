//! Callers that disconnect before their reply.

use std::sync::Arc;

use gateway_runtime::{
    pipeline::{InnerService, Invocation, LayerPosition},
    prelude::*,
};
use tokio::sync::Semaphore;
use tower::{ServiceExt, layer::layer_fn, service_fn};

use super::{
    charges::eventually,
    kiosk::{Customer, PRICE, fund, settings},
};
use crate::{
    database::{Database, each_database},
    gate::gate,
};

/// Adds a permit when the caller's future is dropped.
struct Leaving(Arc<Semaphore>);

impl Drop for Leaving {
    fn drop(&mut self) {
        self.0.add_permits(1);
    }
}

each_database! {
    async fn call_without_a_key_is_charged_after_its_caller_disconnects(database: Database) {
        let left = Arc::new(Semaphore::new(0));
        let witness = {
            let left = Arc::clone(&left);
            layer_fn(move |rest: InnerService| {
                let left = Arc::clone(&left);
                service_fn(move |invocation: Invocation| {
                    let (rest, leaving) = (rest.clone(), Leaving(Arc::clone(&left)));
                    async move {
                        let _leaving = leaving;
                        rest.oneshot(invocation).await
                    }
                })
            })
        };
        let gateway = Gateway::from_toml(&settings(&database))
            .unwrap()
            .layer(LayerPosition::Outermost, witness);
        let gateway = gateway.start().await.unwrap();
        let (books, customer) = (database.books().await, Customer::of(&gateway.url()));
        fund(&books, 3 * PRICE).await;
        let name = format!("bread {:x}", fastrand::u64(..));
        let caller = {
            let (customer, name) = (customer.clone(), name.clone());
            tokio::spawn(async move { customer.buy(&name, "slow", &[]).await })
        };
        eventually(&books, (2 * PRICE, PRICE)).await;
        caller.abort();
        assert!(caller.await.unwrap_err().is_cancelled());
        left.acquire().await.unwrap().forget();
        // The call still runs, and only now completes.
        eventually(&books, (2 * PRICE, PRICE)).await;
        gate(&name).add_permits(1);
        eventually(&books, (2 * PRICE, 0)).await;
        let rows = books.recent_requests(10).await.unwrap();
        let told: Vec<_> = rows.iter().map(|row| (&*row.method, row.status, row.price)).collect();
        assert_eq!(told, [("buy", 200, Some(PRICE))]);
    }
}
