//! The log queue: lines are appended to a bounded buffer, and a thread of its own writes them to
//! standard error.
//!
//! A reader of the log that stalls must stop neither calls nor the shutdown, so only that thread
//! ever waits for it. A line that does not fit is dropped and counted, and the log reports the
//! count as soon as there is room again.

#[cfg(test)]
mod tests;

use std::{
    io::{self, ErrorKind, Write},
    mem,
    sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, atomic::Ordering::Relaxed},
    thread,
    time::{Duration, Instant},
};

use tracing_subscriber::fmt::MakeWriter;

use crate::base::call_metrics::LOG_LINES_DROPPED;

/// The maximum of bytes that wait to be written; as many again may be in the write under way.
const MAX_PENDING_BYTES: usize = 4 << 20;

/// The duration after which the reader of a write counts as stalled.
const STALL_TIMEOUT: Duration = Duration::from_secs(1);

/// The pause before a write is tried again on a descriptor that another process made non-blocking.
const RETRY_INTERVAL: Duration = Duration::from_millis(5);

/// A buffer of log lines and the state of the thread that writes them out.
#[derive(Debug)]
pub(super) struct LogQueue {
    state: Mutex<State>,
    /// Signalled when there are lines, if the writer waits for some.
    filled: Condvar,
    /// Signalled when a write has ended.
    written: Condvar,
    max_bytes: usize,
}

#[derive(Debug, Default)]
struct State {
    pending: Vec<u8>,
    /// Lines dropped since the log last reported them.
    dropped: u64,
    is_writer_waiting: bool,
    /// The start of the write under way.
    writing_since: Option<Instant>,
}

impl LogQueue {
    /// Creates a queue whose lines go to `out`.
    ///
    /// # Errors
    ///
    /// If no thread can be started.
    pub(super) fn start(out: impl Write + Send + 'static) -> io::Result<Arc<Self>> {
        Self::with_capacity(MAX_PENDING_BYTES, out)
    }

    fn with_capacity(max_bytes: usize, out: impl Write + Send + 'static) -> io::Result<Arc<Self>> {
        let queue = Arc::new(Self {
            state: Mutex::default(),
            filled: Condvar::new(),
            written: Condvar::new(),
            max_bytes,
        });
        let writer = Arc::clone(&queue);
        thread::Builder::new()
            .name("gateway-log".to_owned())
            .spawn(move || writer.write_out(out))?;
        Ok(queue)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Appends a line, or drops it if the buffer is full.
    fn push(&self, line: &[u8]) {
        let mut state = self.lock();
        if state.pending.len() + line.len() > self.max_bytes {
            state.dropped += 1;
            drop(state);
            LOG_LINES_DROPPED.fetch_add(1, Relaxed);
            return;
        }
        state.pending.extend_from_slice(line);
        let is_waiting = mem::take(&mut state.is_writer_waiting);
        drop(state);
        if is_waiting {
            self.filled.notify_one();
        }
    }

    /// Waits until all lines are written, at most for `timeout`, and not at all for a reader that
    /// has stalled already.
    pub(super) fn flush(&self, timeout: Duration) {
        let deadline = Instant::now() + timeout;
        let mut state = self.lock();
        while !state.pending.is_empty() || state.writing_since.is_some() {
            let left = deadline.saturating_duration_since(Instant::now());
            if left.is_zero()
                || state.writing_since.is_some_and(|since| since.elapsed() >= STALL_TIMEOUT)
            {
                return;
            }
            state =
                self.written.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
    }

    /// Writes batches for as long as the process lives.
    fn write_out(&self, mut out: impl Write) {
        let mut batch = Vec::new();
        loop {
            self.next_batch(&mut batch);
            let lost = write_all(&mut out, &batch).map_or_else(|unwritten| unwritten, |()| 0);
            batch.clear();
            LOG_LINES_DROPPED.fetch_add(lost, Relaxed);
            let mut state = self.lock();
            state.writing_since = None;
            // After a failed write the count is carried over to the first line that can be written.
            let dropped = state.dropped + lost;
            state.dropped = if lost > 0 { dropped } else { 0 };
            drop(state);
            self.written.notify_all();
            if lost == 0 && dropped > 0 {
                tracing::warn!(
                    target: "gateway::log",
                    dropped,
                    "log lines dropped: the reader of standard error is too slow"
                );
            }
        }
    }

    /// Waits for lines and takes all of them.
    fn next_batch(&self, batch: &mut Vec<u8>) {
        let mut state = self.lock();
        while state.pending.is_empty() {
            state.is_writer_waiting = true;
            state = self.filled.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        state.is_writer_waiting = false;
        mem::swap(&mut state.pending, batch);
        state.writing_since = Some(Instant::now());
    }
}

/// Writes all bytes, or returns the number of lines that were not written whole.
fn write_all(out: &mut impl Write, mut bytes: &[u8]) -> Result<(), u64> {
    while !bytes.is_empty() {
        match out.write(bytes) {
            Ok(0) => return Err(lines(bytes)),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => thread::sleep(RETRY_INTERVAL),
            Err(_) => return Err(lines(bytes)),
        }
    }
    Ok(())
}

fn lines(bytes: &[u8]) -> u64 {
    bytes.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// A writer that queues each event's line.
#[derive(Clone, Debug)]
pub(super) struct QueueWriter(pub(super) Arc<LogQueue>);

impl<'a> MakeWriter<'a> for QueueWriter {
    type Writer = Lines<'a>;

    fn make_writer(&'a self) -> Lines<'a> {
        Lines(&self.0)
    }
}

/// A writer that takes a whole line with each write.
#[derive(Debug)]
pub(super) struct Lines<'a>(&'a LogQueue);

impl Write for Lines<'_> {
    fn write(&mut self, line: &[u8]) -> io::Result<usize> {
        self.0.push(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
