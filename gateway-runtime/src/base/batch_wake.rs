//! Batched wake-ups: work for tasks on other runtimes, with one wake-up for each runtime.
//!
//! A task that is woken from another thread costs that thread a system call, and often costs the
//! task's runtime a sleep and a wake-up. Results that come in batches (the outcomes of a commit,
//! the messages of one read) each concern some dozens of calls. So a batch is sent whole to a task
//! of the runtime where these calls wait, and that task wakes them locally.

use std::cell::RefCell;

use tokio::{
    runtime::{Handle, Id},
    sync::mpsc,
};

/// The work on one batch, run on the runtime where its calls wait.
type WakeWork = Box<dyn FnOnce() + Send>;

/// A handle to the runtime where calls wait. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct WakeQueue(mpsc::UnboundedSender<WakeWork>);

thread_local! {
    /// The queue that was used last on this thread, by the id of its runtime.
    static LAST: RefCell<Option<(Id, WakeQueue)>> = const { RefCell::new(None) };
}

impl WakeQueue {
    /// Returns the queue of the current runtime, and starts its task if there is none on this
    /// thread.
    pub(crate) fn current() -> Self {
        let handle = Handle::current();
        LAST.with_borrow_mut(|last| match last {
            Some((id, queue)) if *id == handle.id() => queue.clone(),
            _ => {
                let (work, mut waiting) = mpsc::unbounded_channel::<WakeWork>();
                handle.spawn(async move {
                    while let Some(work) = waiting.recv().await {
                        work();
                    }
                });
                let queue = Self(work);
                *last = Some((handle.id(), queue.clone()));
                queue
            }
        })
    }
}

/// Items to deliver, grouped by the runtime where they are awaited: a few groups, one for each
/// thread that serves.
#[derive(Debug)]
pub(crate) struct WakeBatches<T>(Vec<(WakeQueue, Vec<T>)>);

impl<T: Send + 'static> WakeBatches<T> {
    /// Adds an item to the batch of the runtime behind `queue`.
    pub(crate) fn add(&mut self, queue: WakeQueue, item: T) {
        match self.0.iter_mut().find(|(other, _)| other.0.same_channel(&queue.0)) {
            Some((_, batch)) => batch.push(item),
            None => self.0.push((queue, vec![item])),
        }
    }

    /// Sends each batch to its runtime, which calls `arrive` for each item. A runtime that has
    /// ended has no waiting calls, so its items are dropped.
    pub(crate) fn send(&mut self, arrive: fn(T)) {
        for (WakeQueue(queue), batch) in self.0.drain(..) {
            let _ = queue.send(Box::new(move || batch.into_iter().for_each(arrive)));
        }
    }
}

impl<T> Default for WakeBatches<T> {
    fn default() -> Self {
        Self(Vec::new())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_runtime_runs_its_own_items_in_order() {
        type Results = std::sync::mpsc::Sender<(Id, usize)>;
        let (results, done) = std::sync::mpsc::channel();
        let runtimes = [(); 2].map(|()| {
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap()
        });
        let queues =
            runtimes.each_ref().map(|runtime| runtime.block_on(async { WakeQueue::current() }));
        let ids = runtimes.each_ref().map(|runtime| runtime.handle().id());
        let mut batches = WakeBatches::<(Results, usize)>::default();
        for number in 0..10 {
            batches.add(queues[number % 2].clone(), (results.clone(), number));
        }
        batches.send(|(results, number)| results.send((Handle::current().id(), number)).unwrap());
        drop(results);
        let mut done: Vec<_> = done.iter().collect();
        done.sort_by_key(|(id, _)| *id != ids[0]);
        let numbers = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
        assert_eq!(done, numbers.map(|number| (ids[number % 2], number)));
    }
}
