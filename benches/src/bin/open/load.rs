//! The open-loop load: one thread sends each request at its time, another reads the responses.

use std::{
    collections::VecDeque,
    io,
    net::SocketAddr,
    sync::{
        Arc, Mutex, PoisonError,
        mpsc::{self, Receiver, Sender},
    },
    thread,
    time::{Duration, Instant},
};

use tokio::{
    io::AsyncReadExt,
    net::{
        TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    runtime::Handle,
    sync::oneshot,
};

/// The maximum time of a response; beyond it the measurement fails.
const RESPONSE_TIMEOUT: Duration = Duration::from_secs(10);

/// Connections over which requests are sent.
pub(crate) struct Load {
    connections: Vec<Connection>,
    idle: Receiver<Result<Answered, String>>,
    rate: u32,
    request: Vec<u8>,
    /// A guard that ends the reading thread.
    _reading: oneshot::Sender<()>,
}

struct Connection {
    write: OwnedWriteHalf,
    due: Arc<Mutex<Option<Instant>>>,
}

/// A connection that is free.
struct Answered {
    connection: usize,
    latency: Option<f64>,
}

impl Load {
    /// Opens as many connections as may be in use at once: a fifth of a second of calls, at least
    /// 16 and at most 200.
    pub(crate) fn open(address: SocketAddr, request: Vec<u8>, rate: u32) -> io::Result<Self> {
        let count = (rate / 5).clamp(16, 200) as usize;
        let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
        let mut streams = Vec::new();
        for _ in 0..count {
            let stream = runtime.block_on(TcpStream::connect(address))?;
            stream.set_nodelay(true)?;
            streams.push(stream.into_split());
        }
        let (answered, idle) = mpsc::channel();
        let mut connections = Vec::new();
        let mut readers = Vec::new();
        for (connection, (read, write)) in streams.into_iter().enumerate() {
            let due = Arc::<Mutex<Option<Instant>>>::default();
            connections.push(Connection { write, due: Arc::clone(&due) });
            readers.push((connection, read, due));
        }
        let (reading, end) = oneshot::channel::<()>();
        thread::spawn(move || {
            runtime.block_on(async {
                for (connection, read, due) in readers {
                    Handle::current().spawn(read_answers(connection, read, due, answered.clone()));
                }
                let _ = end.await;
            });
        });
        Ok(Self { connections, idle, rate, request, _reading: reading })
    }

    /// Sends requests at their times for `time`, and returns the latencies in seconds, counted from
    /// those times.
    pub(crate) fn run(&self, time: Duration) -> Result<Vec<f64>, String> {
        let (begin, pause) = (Instant::now(), Duration::from_secs(1) / self.rate);
        let count = (time.as_secs_f64() * f64::from(self.rate)) as u32;
        let mut latencies = Vec::with_capacity(count as usize);
        let mut free: VecDeque<_> = (0..self.connections.len()).collect();
        let mut take = |free: &mut VecDeque<usize>, one: Result<Answered, String>| {
            let Answered { connection, latency } = one?;
            latencies.extend(latency);
            free.push_back(connection);
            Ok::<(), String>(())
        };
        for number in 0..count {
            let due = begin + pause * number;
            thread::sleep(due.saturating_duration_since(Instant::now()));
            while let Ok(one) = self.idle.try_recv() {
                take(&mut free, one)?;
            }
            while free.is_empty() {
                take(
                    &mut free,
                    self.idle.recv_timeout(RESPONSE_TIMEOUT).map_err(|_| "no reply in time")?,
                )?;
            }
            let Some(next) = free.pop_front() else { continue };
            self.connections[next].send(&self.request, due).map_err(|error| error.to_string())?;
        }
        while free.len() < self.connections.len() {
            take(
                &mut free,
                self.idle.recv_timeout(RESPONSE_TIMEOUT).map_err(|_| "no reply in time")?,
            )?;
        }
        Ok(latencies)
    }
}

impl Connection {
    fn send(&self, request: &[u8], due: Instant) -> io::Result<()> {
        *self.due.lock().unwrap_or_else(PoisonError::into_inner) = Some(due);
        // One write takes the whole request: it is smaller than the socket's buffer, which is
        // empty.
        let sent = self.write.try_write(request)?;
        if sent == request.len() {
            Ok(())
        } else {
            Err(io::Error::other("a request was not taken whole"))
        }
    }
}

async fn read_answers(
    connection: usize,
    mut read: OwnedReadHalf,
    due: Arc<Mutex<Option<Instant>>>,
    answered: Sender<Result<Answered, String>>,
) {
    let mut buffer = [0; 8192];
    let mut end = 0;
    loop {
        match read.read(&mut buffer[end..]).await {
            Ok(more @ 1..) => end += more,
            Ok(0) => return drop(answered.send(Err("a connection was closed".to_owned()))),
            Err(error) => return drop(answered.send(Err(error.to_string()))),
        }
        match is_whole(&buffer[..end]) {
            Ok(false) => continue,
            Ok(true) => end = 0,
            Err(answer) => return drop(answered.send(Err(answer))),
        }
        let due = due.lock().unwrap_or_else(PoisonError::into_inner).take();
        let latency = due.map(|due| due.elapsed().as_secs_f64());
        if answered.send(Ok(Answered { connection, latency })).is_err() {
            return;
        }
    }
}

/// Returns whether the response is complete; fails unless it is a success.
fn is_whole(answer: &[u8]) -> Result<bool, String> {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Ok(false) };
    if !head.starts_with("HTTP/1.1 200") {
        return Err(text.into_owned());
    }
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    Ok(length.is_some_and(|length| body.len() >= length))
}
