//! The calling end: it keeps a number of calls in flight and measures the time of each.

use std::time::{Duration, Instant};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

use crate::{MEASURED, Outcome, WARM, cpu_of};

/// The measurements of a run.
#[derive(Default)]
pub(crate) struct Asked {
    total: u64,
    measured: Vec<u32>,
}

impl Asked {
    /// Records a round trip that began at `begun`; those of the warm-up are not measured.
    pub(crate) fn count(&mut self, begun: Instant, start: Instant) {
        self.total += 1;
        if begun.duration_since(start) > WARM {
            self.measured.push(u32::try_from(begun.elapsed().as_micros()).unwrap_or(u32::MAX));
        }
    }

    pub(crate) fn add(&mut self, other: Self) {
        self.total += other.total;
        self.measured.extend(other.measured);
    }

    /// Prints the number of calls, the calls a second, the median of their times in µs, and the CPU
    /// time of each call in µs. `cpu` is the CPU time in seconds; by default it is that of this
    /// process.
    #[expect(clippy::print_stdout, clippy::cast_precision_loss, reason = "this is what it is for")]
    pub(crate) fn print(mut self, cpu: Option<f64>) -> Outcome<()> {
        self.measured.sort_unstable();
        let p50 = self.measured.get(self.measured.len() / 2).copied().unwrap_or(0);
        let rate = self.measured.len() as f64 / MEASURED.as_secs_f64();
        let cpu = cpu.map_or_else(|| cpu_of(std::process::id()), Ok)?;
        println!("{} {rate} {p50} {}", self.total, cpu / self.total.max(1) as f64 * 1e6);
        Ok(())
    }
}

/// Returns whether the time of a run is over.
pub(crate) fn is_over(start: Instant) -> bool {
    start.elapsed() > WARM + MEASURED
}

/// Calls over HTTP, with a connection for each call in flight.
pub(crate) async fn over_http(address: &str, path: &str, in_flight: usize) -> Outcome<Asked> {
    let body = crate::sdk::question()?;
    let head = format!(
        "POST {path} HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: \
         {}\r\n\r\n",
        body.len()
    );
    let request = bytes::Bytes::from([head.as_bytes(), &body].concat());
    let start = Instant::now();
    let connections = (0..in_flight).map(|_| {
        let (request, address) = (request.clone(), address.to_owned());
        tokio::spawn(async move {
            let mut stream = TcpStream::connect(address).await?;
            stream.set_nodelay(true)?;
            let (mut asked, mut buffer) = (Asked::default(), vec![0; 4096]);
            while !is_over(start) {
                let begun = Instant::now();
                stream.write_all(&request).await?;
                read(&mut stream, &mut buffer).await?;
                asked.count(begun, start);
            }
            Ok::<_, Box<dyn std::error::Error + Send + Sync>>(asked)
        })
    });
    let mut all = Asked::default();
    for connection in connections.collect::<Vec<_>>() {
        all.add(tokio::time::timeout(Duration::from_secs(30), connection).await???);
    }
    Ok(all)
}

/// Reads one response, which is small, has a length, and must be 200.
async fn read(stream: &mut TcpStream, buffer: &mut [u8]) -> Outcome<()> {
    let mut length = 0;
    loop {
        let read = stream.read(&mut buffer[length..]).await?;
        length += read;
        if read == 0 {
            return Err("the connection was closed".into());
        }
        let text = std::str::from_utf8(&buffer[..length])?;
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        if !head.starts_with("HTTP/1.1 200") {
            return Err(text.to_owned().into());
        }
        let declared = head.lines().find_map(|line| line.strip_prefix("content-length: "));
        if body.len() >= declared.ok_or("no length")?.parse()? {
            return Ok(());
        }
    }
}
