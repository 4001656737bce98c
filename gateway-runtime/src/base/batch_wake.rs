//! Brings what is awaited to the runtimes where it is, all that is for one with one wake-up.
//!
//! A task that is woken from another thread costs that thread a system call, and its own runtime often a sleep and a
//! wake-up. What comes in batches (the answers of a commit, the messages of one reading) has something for each of some dozens
//! of calls: it is sent whole to a task of the runtime where these wait, which wakes them where they are.

use std::cell::RefCell;

use tokio::{
    runtime::{Handle, Id},
    sync::mpsc,
};

/// What is done with a batch where it is awaited.
type WakeWork = Box<dyn FnOnce() + Send>;

/// A runtime where something is awaited. Cheap to clone.
#[derive(Clone, Debug)]
pub(crate) struct WakeQueue(mpsc::UnboundedSender<WakeWork>);

thread_local! {
    /// The one that was last on this thread.
    static LAST: RefCell<Option<(Id, WakeQueue)>> = const { RefCell::new(None) };
}

impl WakeQueue {
    /// The runtime within which this is called.
    pub(crate) fn current() -> Self {
        let handle = Handle::current();
        LAST.with_borrow_mut(|last| match last {
            Some((id, home)) if *id == handle.id() => home.clone(),
            _ => {
                let (work, mut waiting) = mpsc::unbounded_channel::<WakeWork>();
                handle.spawn(async move {
                    while let Some(work) = waiting.recv().await {
                        work();
                    }
                });
                let home = Self(work);
                *last = Some((handle.id(), home.clone()));
                home
            }
        })
    }
}

/// Things on their way, by the runtimes where they are awaited: a few, one for each thread that serves.
#[derive(Debug)]
pub(crate) struct WakeBatches<T>(Vec<(WakeQueue, Vec<T>)>);

impl<T: Send + 'static> WakeBatches<T> {
    pub(crate) fn add(&mut self, home: WakeQueue, thing: T) {
        match self.0.iter_mut().find(|(other, _)| other.0.same_channel(&home.0)) {
            Some((_, batch)) => batch.push(thing),
            None => self.0.push((home, vec![thing])),
        }
    }

    /// Sends them; `arrive` is done there with each. Where a runtime has ended, nobody waits any more.
    pub(crate) fn send(&mut self, arrive: fn(T)) {
        for (WakeQueue(home), batch) in self.0.drain(..) {
            let _ = home.send(Box::new(move || batch.into_iter().for_each(arrive)));
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
    fn each_runtime_does_what_is_its_own_in_order() {
        type Told = std::sync::mpsc::Sender<(Id, usize)>;
        let (told, done) = std::sync::mpsc::channel();
        let runtimes = [(); 2].map(|()| {
            tokio::runtime::Builder::new_multi_thread().worker_threads(1).build().unwrap()
        });
        let homes =
            runtimes.each_ref().map(|runtime| runtime.block_on(async { WakeQueue::current() }));
        let ids = runtimes.each_ref().map(|runtime| runtime.handle().id());
        let mut batches = WakeBatches::<(Told, usize)>::default();
        for number in 0..10 {
            batches.add(homes[number % 2].clone(), (told.clone(), number));
        }
        batches.send(|(told, number)| told.send((Handle::current().id(), number)).unwrap());
        drop(told);
        let mut done: Vec<_> = done.iter().collect();
        done.sort_by_key(|(id, _)| *id != ids[0]);
        let numbers = [0, 2, 4, 6, 8, 1, 3, 5, 7, 9];
        assert_eq!(done, numbers.map(|number| (ids[number % 2], number)));
    }
}
