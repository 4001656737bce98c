use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use super::*;

/// A reader that accepts a write only when the test does.
struct Pipe(SyncSender<Vec<u8>>);

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.send(bytes.to_vec()).map_err(io::Error::other)?;
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

fn queue(max_bytes: usize) -> (Arc<LogQueue>, Receiver<Vec<u8>>) {
    let (pipe, reader) = sync_channel(0);
    (LogQueue::with_capacity(max_bytes, Pipe(pipe)).unwrap(), reader)
}

fn wait_until(what: impl Fn() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !what() {
        assert!(Instant::now() < deadline, "never came about");
        thread::yield_now();
    }
}

#[test]
fn lines_are_written_in_order_and_waited_for() {
    let (queue, reader) = queue(1 << 20);
    let read = thread::spawn(move || {
        let mut all = Vec::new();
        while let Ok(bytes) = reader.recv_timeout(Duration::from_secs(20)) {
            all.extend(bytes);
            if all.ends_with(b"999\n") {
                break;
            }
        }
        all
    });
    for number in 0..1000 {
        queue.push(format!("{number}\n").as_bytes());
    }
    queue.flush(Duration::from_secs(20));
    let all = String::from_utf8(read.join().unwrap()).unwrap();
    assert_eq!(all, (0..1000).map(|number| format!("{number}\n")).collect::<String>());
}

#[test]
fn line_that_does_not_fit_is_dropped_and_flush_does_not_wait_for_a_stalled_reader() {
    let (queue, reader) = queue(100);
    queue.push(b"the first\n");
    wait_until(|| queue.lock().writing_since.is_some());
    let before = LOG_LINES_DROPPED.load(Relaxed);
    for _ in 0..15 {
        queue.push(b"123456789\n");
    }
    assert_eq!(queue.lock().dropped, 5);
    assert!(LOG_LINES_DROPPED.load(Relaxed) >= before + 5);
    let stalled = Instant::now().checked_sub(STALL_TIMEOUT);
    queue.lock().writing_since = stalled;
    let start = Instant::now();
    queue.flush(Duration::from_secs(60));
    assert!(start.elapsed() < Duration::from_secs(20));
    assert_eq!(reader.recv().unwrap(), b"the first\n");
    assert_eq!(reader.recv().unwrap().len(), 100);
    wait_until(|| queue.lock().writing_since.is_none());
    assert_eq!(queue.lock().dropped, 0, "it was told");
}

#[test]
fn a_reader_that_is_gone_loses_lines_and_nothing_else() {
    let (queue, reader) = queue(100);
    drop(reader);
    queue.push(b"lost\nlost\n");
    wait_until(|| queue.lock().dropped == 2);
    queue.flush(Duration::from_secs(60));
}
