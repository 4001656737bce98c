//! One flight for each key: whoever wants what is being made waits for it.
//!
//! A flight that fails, or whose leader is dropped in its middle, is led on by one of those who wait
//! ([`OnceCell`] sees to that), so nobody waits for what will not come and not all start at once.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use foldhash::fast::RandomState;
use tokio::sync::OnceCell;

use crate::cache::CacheKey;

/// What is being made.
#[derive(Debug)]
pub(crate) struct SingleFlight<T>(Mutex<HashMap<CacheKey, Flight<T>, RandomState>>);

#[derive(Debug)]
struct Flight<T> {
    cell: Arc<OnceCell<T>>,
    waiters: usize,
}

impl<T> Default for SingleFlight<T> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

impl<T> SingleFlight<T> {
    /// A place in the flight of this key, which begins with its first passenger.
    pub(crate) fn join(self: &Arc<Self>, key: CacheKey) -> FlightHandle<T> {
        let mut flights = self.lock();
        let flight = flights.entry(key.clone()).or_insert_with(Flight::new);
        flight.waiters += 1;
        FlightHandle { flights: Arc::clone(self), key, cell: Arc::clone(&flight.cell) }
    }

    /// The first place in the flight of this key, unless it has begun.
    pub(crate) fn begin(self: &Arc<Self>, key: CacheKey) -> Option<FlightHandle<T>> {
        let cell = match self.lock().entry(key.clone()) {
            Entry::Occupied(_) => return None,
            Entry::Vacant(place) => {
                let flight = place.insert(Flight::new());
                flight.waiters = 1;
                Arc::clone(&flight.cell)
            }
        };
        Some(FlightHandle { flights: Arc::clone(self), key, cell })
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<CacheKey, Flight<T>, RandomState>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl<T> Flight<T> {
    fn new() -> Self {
        Self { cell: Arc::default(), waiters: 0 }
    }
}

/// A place in a flight.
#[derive(Debug)]
pub(crate) struct FlightHandle<T> {
    flights: Arc<SingleFlight<T>>,
    key: CacheKey,
    cell: Arc<OnceCell<T>>,
}

impl<T> FlightHandle<T> {
    /// What the flight brings. `fly` makes it, if it falls to this passenger to lead.
    ///
    /// # Errors
    ///
    /// The leader's own failure; another passenger leads on.
    pub(crate) async fn join_or_lead<E, F>(&self, fly: impl FnOnce() -> F) -> Result<&T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let lead = || async {
            let landed = fly().await?;
            // Who comes from here on looks where answers are kept; what has landed does not get older in the air.
            self.close(|_| true);
            Ok(landed)
        };
        self.cell.get_or_try_init(lead).await
    }

    /// Removes the flight, if it is still there and `done` with.
    fn close(&self, done: impl FnOnce(&mut Flight<T>) -> bool) {
        let mut flights = self.flights.lock();
        if let Entry::Occupied(mut flight) = flights.entry(self.key.clone())
            && Arc::ptr_eq(&flight.get().cell, &self.cell)
            && done(flight.get_mut())
        {
            flight.remove();
        }
    }
}

impl<T> Drop for FlightHandle<T> {
    fn drop(&mut self) {
        self.close(|flight| {
            flight.waiters -= 1;
            flight.waiters == 0
        });
    }
}
