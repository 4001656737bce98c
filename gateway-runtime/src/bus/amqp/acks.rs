//! Acknowledgements of the deliveries of one channel, sent to the broker in batches.

use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::bus::{Acknowledge, Disposition};

/// A queue of dispositions for the task of a channel. The first of a batch wakes the task.
#[derive(Debug, Default)]
pub(super) struct AckQueue {
    state: Mutex<AckState>,
    wake: Notify,
}

#[derive(Debug, Default)]
struct AckState {
    dispositions: Vec<(u64, Disposition)>,
    /// Whether the channel is lost: the broker then requeues all its unacknowledged deliveries.
    is_lost: bool,
}

impl AckQueue {
    /// Waits until there are dispositions.
    pub(super) async fn wait(&self) {
        self.wake.notified().await;
    }

    /// Takes the dispositions, and leaves the empty `room` in their place.
    pub(super) fn take(&self, room: &mut Vec<(u64, Disposition)>) {
        mem::swap(&mut self.state().dispositions, room);
    }

    /// Drops the dispositions, and accepts no more of them.
    pub(super) fn lose(&self) {
        *self.state() = AckState { dispositions: Vec::new(), is_lost: true };
    }

    fn state(&self) -> MutexGuard<'_, AckState> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Acknowledge for AckQueue {
    fn settle(&self, delivery_tag: u64, disposition: Disposition) {
        let mut state = self.state();
        if state.is_lost {
            return;
        }
        let is_first = state.dispositions.is_empty();
        state.dispositions.push((delivery_tag, disposition));
        drop(state);
        if is_first {
            self.wake.notify_one();
        }
    }
}

/// A command of a channel to the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AckCommand {
    /// `basic.ack` for one delivery tag.
    Ack(u64),
    /// `basic.ack` with `multiple`: all deliveries up to this tag.
    AckMultiple(u64),
    /// `basic.nack` with `requeue` for one delivery tag.
    Requeue(u64),
}

/// The deliveries of a channel that are not acknowledged yet. Delivery tags count up from one.
#[derive(Debug, Default)]
pub(super) struct UnackedDeliveries {
    /// The delivery tag before the first of `settled`.
    before: u64,
    /// Whether each delivery has its disposition, in the order of the tags.
    settled: VecDeque<bool>,
    open: usize,
}

impl UnackedDeliveries {
    /// Adds a delivery, and with it all tags before.
    pub(super) fn add(&mut self, delivery_tag: u64) {
        while self.before + (self.settled.len() as u64) < delivery_tag {
            self.settled.push_back(false);
            self.open += 1;
        }
    }

    /// Returns how many deliveries are not acknowledged.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// Applies dispositions, and adds the fewest commands that convey them to the broker. Unknown
    /// and repeated delivery tags are ignored.
    pub(super) fn settle(
        &mut self,
        dispositions: &mut Vec<(u64, Disposition)>,
        commands: &mut Vec<AckCommand>,
    ) {
        let first = self.before + 1;
        dispositions.retain(|(delivery_tag, disposition)| {
            let Some(settled) = delivery_tag
                .checked_sub(first)
                .and_then(|index| self.settled.get_mut(index as usize))
            else {
                return false;
            };
            if mem::replace(settled, true) {
                return false;
            }
            self.open -= 1;
            if *disposition == Disposition::Requeue {
                commands.push(AckCommand::Requeue(*delivery_tag));
            }
            *disposition == Disposition::Ack
        });
        while self.settled.front() == Some(&true) {
            self.settled.pop_front();
            self.before += 1;
        }
        // The broker has processed all requeues and acknowledgements up to `before`, so one command
        // with `multiple` affects no other delivery.
        let before = self.before;
        let contiguous = dispositions.iter().map(|(tag, _)| *tag).filter(|tag| *tag <= before);
        if let Some(last) = contiguous.max() {
            commands.push(AckCommand::AckMultiple(last));
        }
        commands.extend(
            dispositions
                .drain(..)
                .map(|(delivery_tag, _)| delivery_tag)
                .filter(|delivery_tag| *delivery_tag > before)
                .map(AckCommand::Ack),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(
        unacked: &mut UnackedDeliveries,
        dispositions: &[(u64, Disposition)],
    ) -> Vec<AckCommand> {
        let mut commands = Vec::new();
        unacked.settle(&mut dispositions.to_vec(), &mut commands);
        commands
    }

    #[test]
    fn acks_without_a_gap_are_sent_as_one_multiple_ack() {
        use Disposition::{Ack, Requeue};
        let mut unacked = UnackedDeliveries::default();
        unacked.add(6);
        assert_eq!(settle(&mut unacked, &[(2, Ack), (1, Ack)]), [AckCommand::AckMultiple(2)]);
        assert_eq!(
            settle(&mut unacked, &[(5, Ack), (6, Ack)]),
            [AckCommand::Ack(5), AckCommand::Ack(6)]
        );
        assert_eq!(settle(&mut unacked, &[(4, Requeue)]), [AckCommand::Requeue(4)]);
        assert_eq!(unacked.open(), 1);
        assert_eq!(settle(&mut unacked, &[(3, Ack)]), [AckCommand::AckMultiple(3)]);
        unacked.add(8);
        assert_eq!(
            settle(&mut unacked, &[(7, Requeue), (8, Ack)]),
            [AckCommand::Requeue(7), AckCommand::AckMultiple(8)]
        );
        assert_eq!(unacked.open(), 0);
    }

    #[test]
    fn repeated_and_unknown_delivery_tags_are_ignored() {
        let mut unacked = UnackedDeliveries::default();
        unacked.add(2);
        let done = Disposition::Ack;
        assert_eq!(
            settle(&mut unacked, &[(2, done), (2, done), (3, done), (0, done)]),
            [AckCommand::Ack(2)]
        );
        assert_eq!(settle(&mut unacked, &[(2, Disposition::Requeue)]), []);
    }

    #[tokio::test]
    async fn queue_of_a_lost_channel_drops_dispositions() {
        let queue = AckQueue::default();
        queue.settle(1, Disposition::Ack);
        queue.wait().await;
        queue.lose();
        queue.settle(2, Disposition::Ack);
        let mut taken = Vec::new();
        queue.take(&mut taken);
        assert_eq!(taken, []);
    }
}
