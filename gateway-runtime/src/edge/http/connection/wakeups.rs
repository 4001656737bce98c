//! The wake-ups of a connection besides its socket: its alarm, and the shutdown of the server.

use std::{
    future::poll_fn,
    pin::{Pin, pin},
    task::{Context, Poll, Waker},
};

use tokio::{
    sync::futures::Notified,
    task::coop::unconstrained,
    time::{Instant, Sleep},
};

use crate::edge::http::connection::activity::ShutdownSignal;

/// The wake-ups of a connection besides its socket: its alarm, and the server's shutdown.
///
/// Each future is polled once and afterwards only checked, which costs a load. Therefore the same
/// task must poll the connection for its whole life.
pub(super) struct Wakeups<'a> {
    alarm: Pin<&'a mut Sleep>,
    stopping: &'a ShutdownSignal,
    task: Waker,
}

impl<'a> Wakeups<'a> {
    /// Creates the wake-ups of the connection that the current task polls.
    pub(super) async fn new(
        alarm: Pin<&'a mut Sleep>,
        notified: Pin<&mut Notified<'_>>,
        stopping: &'a ShutdownSignal,
    ) -> Self {
        let task = poll_fn(|cx| Poll::Ready(cx.waker().clone())).await;
        let _ = poll_unconstrained(notified, &task);
        Self { alarm, stopping, task }
    }

    /// Returns whether the server shuts down.
    pub(super) fn stopping(&self) -> bool {
        self.stopping.is_triggered()
    }

    /// Sets the alarm.
    pub(super) fn at(&mut self, time: Instant) {
        self.alarm.as_mut().reset(time);
        if poll_unconstrained(self.alarm.as_mut(), &self.task).is_ready() {
            self.task.wake_by_ref();
        }
    }

    /// Returns whether the alarm has fired since it was set.
    pub(super) fn rang(&self) -> bool {
        self.alarm.is_elapsed()
    }
}

/// Polls a future without tokio's cooperative budget: `Pending` means that the future will wake the
/// task, never that the task has used its share.
fn poll_unconstrained<F: Future>(future: Pin<&mut F>, task: &Waker) -> Poll<F::Output> {
    pin!(unconstrained(future)).poll(&mut Context::from_waker(task))
}
