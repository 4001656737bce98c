//! Tests of the group commit delay.

use super::*;

const TYPICAL_COMMIT_TIME: Duration = Duration::from_millis(4);

/// Gathers with `back` callers queued again when the wait begins.
async fn gather(gatherer: &mut BatchGatherer, first: usize, back: usize) {
    gatherer.gather(first, || back, 256).await;
}

#[tokio::test]
async fn gathering_waits_for_a_commit_at_most_and_then_pauses_when_nobody_comes() {
    let mut gatherer = BatchGatherer::default();
    for pause in [MIN_PAUSE, MIN_PAUSE * 2, MIN_PAUSE * 4] {
        gatherer.committed(TYPICAL_COMMIT_TIME, 64, 32);
        assert!(gatherer.pause == 0 && !gatherer.has_waited);
        gather(&mut gatherer, 32, 0).await;
        assert!(gatherer.has_waited, "the first batch of a round is waited for");
        gatherer.committed(TYPICAL_COMMIT_TIME, 32, 32);
        for _ in 0..pause {
            gather(&mut gatherer, 32, 0).await;
            assert!(
                !gatherer.has_waited,
                "no wait within {pause} batches after one that saved nothing"
            );
            gatherer.committed(TYPICAL_COMMIT_TIME, 32, 32);
        }
    }
}

#[tokio::test]
async fn gathering_goes_on_while_everybody_comes_back() {
    let mut gatherer = BatchGatherer::default();
    for _ in 0..100 {
        gatherer.committed(TYPICAL_COMMIT_TIME, 64, 2);
        gather(&mut gatherer, 2, 60).await;
        assert!(gatherer.has_waited);
    }
}

#[tokio::test]
async fn gathering_wakes_when_enough_are_there() {
    for own_thread in [true, false] {
        let minute = Duration::from_secs(60);
        let mut gatherer = BatchGatherer { max_wait: minute, ..BatchGatherer::default() };
        if own_thread {
            gatherer.own_thread();
        }
        gatherer.committed(minute, 64, 0);
        let (signal, queue) = (Arc::clone(&gatherer.signal), Arc::new(AtomicUsize::new(0)));
        let callers = thread::spawn({
            let queue = Arc::clone(&queue);
            move || {
                for _ in 0..64 {
                    signal.queued(queue.fetch_add(1, SeqCst) + 1);
                }
            }
        });
        let begin = Instant::now();
        gatherer.gather(1, || queue.load(SeqCst), 256).await;
        callers.join().unwrap();
        assert!(gatherer.has_waited && begin.elapsed() < minute / 2);
    }
}
