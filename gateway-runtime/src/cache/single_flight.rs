//! Single flight, one flight for each key: calls that need a value which is being loaded wait for
//! it.
//!
//! If the leader fails or is dropped, one of the waiters leads on ([`OnceCell`] ensures this). So
//! no task waits for a value that cannot come, and the waiters do not all start to load at once.

use std::{
    collections::{HashMap, hash_map::Entry},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use foldhash::fast::RandomState;
use tokio::sync::OnceCell;

use crate::cache::CacheKey;

/// The flights in progress, by key.
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
    /// Joins the flight of this key, or starts it.
    pub(crate) fn join(self: &Arc<Self>, key: CacheKey) -> FlightHandle<T> {
        let mut flights = self.lock();
        let flight = flights.entry(key.clone()).or_insert_with(Flight::new);
        flight.waiters += 1;
        FlightHandle { flights: Arc::clone(self), key, cell: Arc::clone(&flight.cell) }
    }

    /// Starts the flight of this key; `None` if it is in progress.
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

/// A waiter's handle of a flight.
#[derive(Debug)]
pub(crate) struct FlightHandle<T> {
    flights: Arc<SingleFlight<T>>,
    key: CacheKey,
    cell: Arc<OnceCell<T>>,
}

impl<T> FlightHandle<T> {
    /// Waits for the value, or loads it with `load` if this task leads the flight.
    ///
    /// # Errors
    ///
    /// The error of `load`, if this task led; another waiter leads on.
    pub(crate) async fn join_or_lead<E, F>(&self, load: impl FnOnce() -> F) -> Result<&T, E>
    where
        F: Future<Output = Result<T, E>>,
    {
        let lead = || async {
            let value = load().await?;
            // Later calls read the cache store, so that a value does not grow old in its flight.
            self.close(|_| true);
            Ok(value)
        };
        self.cell.get_or_try_init(lead).await
    }

    /// Removes the flight, if it is still in the map and `done` returns true.
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
