//! Messages that were handed to the client library and wait for their publisher confirms.
//!
//! Senders do not wake the task that awaits the confirms, which would cost each of them a system
//! call: the library wakes it when a message is written.

use std::{
    future::{Future, ready},
    mem,
    pin::Pin,
    sync::{Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use futures_util::future::BoxFuture;
use lapin::Confirmation;

use crate::bus::pending_calls::CorrelationId;

/// A message that was handed to the library; ready when it is confirmed.
pub(super) struct UnconfirmedPublish {
    id: CorrelationId,
    confirmed: BoxFuture<'static, lapin::Result<Confirmation>>,
}

/// The unconfirmed messages of one channel.
pub(super) struct ConfirmQueue(Mutex<State>);

struct State {
    new: Vec<UnconfirmedPublish>,
    /// The waker of the task that takes the messages.
    waker: Waker,
    is_closed: bool,
}

/// The error of a channel that has ended.
pub(super) struct ChannelClosed;

impl ConfirmQueue {
    /// Hands a message to the library. The lock is held meanwhile: the library numbers a message
    /// and then queues it, and no other message may come between the two steps.
    pub(super) fn send(
        &self,
        id: CorrelationId,
        mut confirmed: BoxFuture<'static, lapin::Result<Confirmation>>,
    ) -> Result<(), ChannelClosed> {
        let mut state = self.state();
        if state.is_closed {
            return Err(ChannelClosed);
        }
        match confirmed.as_mut().poll(&mut Context::from_waker(&state.waker)) {
            Poll::Pending => state.new.push(UnconfirmedPublish { id, confirmed }),
            Poll::Ready(Err(_)) => return Err(ChannelClosed),
            // The confirm arrived before the first poll, so the library wakes nothing.
            Poll::Ready(confirmation) => {
                state.new.push(UnconfirmedPublish { id, confirmed: Box::pin(ready(confirmation)) });
                state.waker.wake_by_ref();
            }
        }
        Ok(())
    }

    /// Takes the new messages, and registers `taker` to be woken for later ones.
    pub(super) fn take(
        &self,
        taker: &Waker,
        take: impl FnMut(UnconfirmedPublish),
    ) -> Result<(), ChannelClosed> {
        let mut state = self.state();
        if !state.waker.will_wake(taker) {
            state.waker.clone_from(taker);
        }
        state.new.drain(..).for_each(take);
        if state.is_closed { Err(ChannelClosed) } else { Ok(()) }
    }

    pub(super) fn is_closed(&self) -> bool {
        self.state().is_closed
    }

    /// Accepts no more messages, and wakes the task that takes them.
    pub(super) fn close(&self) {
        let mut state = self.state();
        state.is_closed = true;
        let taker = mem::replace(&mut state.waker, Waker::noop().clone());
        drop(state);
        taker.wake();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for ConfirmQueue {
    fn default() -> Self {
        Self(Mutex::new(State { new: Vec::new(), waker: Waker::noop().clone(), is_closed: false }))
    }
}

impl Future for UnconfirmedPublish {
    type Output = (CorrelationId, lapin::Result<Confirmation>);

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        self.confirmed.as_mut().poll(context).map(|confirmation| (self.id, confirmation))
    }
}
