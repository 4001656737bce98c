//! Tests of pending calls.

use super::*;

fn stats(pending: &PendingCalls) -> BrokerStats {
    let mut stats = BrokerStats::default();
    pending.add_to(&mut stats);
    stats
}

fn answer_call(pending: &PendingCalls, correlation: Option<&str>, mut message: Message) {
    message.correlation_id = correlation.map(|id| id.to_owned().into());
    if let Some(arrived) = pending.answer(message) {
        arrived.deliver();
    }
}

fn answer(text: &'static str) -> Message {
    Message { body: text.into(), ..Message::default() }
}

#[tokio::test]
async fn first_reply_is_delivered_and_others_are_counted() {
    let pending = Arc::new(PendingCalls::default());
    let (first, second) = (pending.begin(None), pending.begin(None));
    let (one, two) = (first.id().text(), second.id().text());
    answer_call(&pending, Some(&two), answer("two"));
    answer_call(&pending, Some(&two), answer("again"));
    answer_call(&pending, Some(&one), answer("one"));
    assert_eq!(first.await.unwrap().body, "one");
    assert_eq!(second.await.unwrap().body, "two");
    for unknown in [None, Some(""), Some("x"), Some("9.0"), Some("1.2.3"), Some("0.7")] {
        answer_call(&pending, unknown, answer("never asked"));
    }
    let counted = stats(&pending);
    assert_eq!((counted.replied, counted.duplicate, counted.pending), (2, 1, 0));
    assert_eq!((counted.unknown, counted.late_replies), (5, 1));
}

#[tokio::test]
async fn late_reply_never_reaches_the_next_call_in_its_slot() {
    let pending = Arc::new(PendingCalls::default());
    let left = pending.begin(None);
    let late = left.id().text();
    drop(left);
    let next = pending.begin(None);
    assert_eq!(next.id().slot, 0);
    answer_call(&pending, Some(&late), answer("for another"));
    assert_eq!((stats(&pending).late_replies, stats(&pending).pending), (1, 1));
    answer_call(&pending, Some(&next.id().text()), answer("for this"));
    assert_eq!(next.await.unwrap().body, "for this");
}

#[cfg(feature = "amqp")]
#[tokio::test]
async fn all_pending_calls_fail_together() {
    let pending = Arc::new(PendingCalls::default());
    let calls = [pending.begin(None), pending.begin(None)];
    pending.fail_all(&BusError::new(BusErrorKind::ChannelLost, "cut"));
    for call in calls {
        assert_eq!(call.await.unwrap_err().kind(), BusErrorKind::ChannelLost);
    }
    assert_eq!(stats(&pending).pending, 0);
}
