//! Settling what was received by one channel, in batches.

use std::{
    collections::VecDeque,
    mem,
    sync::{Mutex, MutexGuard, PoisonError},
};

use tokio::sync::Notify;

use crate::bus::{Acknowledge, Disposition};

/// Where verdicts are noted until the channel's task takes them, which is woken by the first of a batch.
#[derive(Debug, Default)]
pub(super) struct AckQueue {
    noted: Mutex<AckState>,
    some: Notify,
}

#[derive(Debug, Default)]
struct AckState {
    verdicts: Vec<(u64, Disposition)>,
    /// Of what a lost channel gave, the broker gives all again.
    is_lost: bool,
}

impl AckQueue {
    /// Waits until there are some.
    pub(super) async fn wait(&self) {
        self.some.notified().await;
    }

    /// Takes those that are there, in exchange for room.
    pub(super) fn take(&self, room: &mut Vec<(u64, Disposition)>) {
        mem::swap(&mut self.noted().verdicts, room);
    }

    /// Takes no more.
    pub(super) fn lose(&self) {
        *self.noted() = AckState { verdicts: Vec::new(), is_lost: true };
    }

    fn noted(&self) -> MutexGuard<'_, AckState> {
        self.noted.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Acknowledge for AckQueue {
    fn settle(&self, number: u64, verdict: Disposition) {
        let mut noted = self.noted();
        if noted.is_lost {
            return;
        }
        let is_first = noted.verdicts.is_empty();
        noted.verdicts.push((number, verdict));
        drop(noted);
        if is_first {
            self.some.notify_one();
        }
    }
}

/// What is told to the broker.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AckCommand {
    /// This one is done with.
    Done(u64),
    /// So are all up to this one.
    DoneUpTo(u64),
    /// This one goes back.
    Again(u64),
}

/// What a channel gave and is not settled yet. Its numbers count up from one.
#[derive(Debug, Default)]
pub(super) struct UnackedDeliveries {
    /// The number before the first.
    before: u64,
    /// Whether each is settled.
    settled: VecDeque<bool>,
    open: usize,
}

impl UnackedDeliveries {
    /// One was given.
    pub(super) fn given(&mut self, number: u64) {
        while self.before + (self.settled.len() as u64) < number {
            self.settled.push_back(false);
            self.open += 1;
        }
    }

    /// How many are not settled.
    pub(super) fn open(&self) -> usize {
        self.open
    }

    /// Settles some, and tells it with as few words as it can be.
    pub(super) fn settle(
        &mut self,
        verdicts: &mut Vec<(u64, Disposition)>,
        told: &mut Vec<AckCommand>,
    ) {
        let first = self.before + 1;
        verdicts.retain(|(number, verdict)| {
            let Some(settled) =
                number.checked_sub(first).and_then(|place| self.settled.get_mut(place as usize))
            else {
                return false;
            };
            if mem::replace(settled, true) {
                return false;
            }
            self.open -= 1;
            if *verdict == Disposition::Again {
                told.push(AckCommand::Again(*number));
            }
            *verdict == Disposition::Done
        });
        while self.settled.front() == Some(&true) {
            self.settled.pop_front();
            self.before += 1;
        }
        // What was sent back before them, the broker has by then; what was acknowledged, it knows.
        let before = self.before;
        if let Some(last) =
            verdicts.iter().map(|(number, _)| *number).filter(|number| *number <= before).max()
        {
            told.push(AckCommand::DoneUpTo(last));
        }
        told.extend(
            verdicts
                .drain(..)
                .map(|(number, _)| number)
                .filter(|number| *number > before)
                .map(AckCommand::Done),
        );
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settle(
        unsettled: &mut UnackedDeliveries,
        verdicts: &[(u64, Disposition)],
    ) -> Vec<AckCommand> {
        let mut told = Vec::new();
        unsettled.settle(&mut verdicts.to_vec(), &mut told);
        told
    }

    #[test]
    fn what_is_done_from_the_first_on_is_told_with_one_word() {
        use Disposition::{Again, Done};
        let mut unsettled = UnackedDeliveries::default();
        unsettled.given(6);
        assert_eq!(settle(&mut unsettled, &[(2, Done), (1, Done)]), [AckCommand::DoneUpTo(2)]);
        assert_eq!(
            settle(&mut unsettled, &[(5, Done), (6, Done)]),
            [AckCommand::Done(5), AckCommand::Done(6)]
        );
        assert_eq!(settle(&mut unsettled, &[(4, Again)]), [AckCommand::Again(4)]);
        assert_eq!(unsettled.open(), 1);
        assert_eq!(settle(&mut unsettled, &[(3, Done)]), [AckCommand::DoneUpTo(3)]);
        unsettled.given(8);
        assert_eq!(
            settle(&mut unsettled, &[(7, Again), (8, Done)]),
            [AckCommand::Again(7), AckCommand::DoneUpTo(8)]
        );
        assert_eq!(unsettled.open(), 0);
    }

    #[test]
    fn what_is_settled_twice_or_was_never_given_is_not_told() {
        let mut unsettled = UnackedDeliveries::default();
        unsettled.given(2);
        let done = Disposition::Done;
        assert_eq!(
            settle(&mut unsettled, &[(2, done), (2, done), (3, done), (0, done)]),
            [AckCommand::Done(2)]
        );
        assert_eq!(settle(&mut unsettled, &[(2, Disposition::Again)]), []);
    }

    #[tokio::test]
    async fn verdicts_of_a_lost_channel_are_not_kept() {
        let verdicts = AckQueue::default();
        verdicts.settle(1, Disposition::Done);
        verdicts.wait().await;
        verdicts.lose();
        verdicts.settle(2, Disposition::Done);
        let mut taken = Vec::new();
        verdicts.take(&mut taken);
        assert_eq!(taken, []);
    }
}
