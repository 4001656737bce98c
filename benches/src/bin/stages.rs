//! The costs of the stages of the pipeline:
//! `cargo run --profile production -p gateway-benches --bin stages [rounds]`, and with
//! `--features postgres` also `[rounds] [PostgreSQL URL]`.
//!
//! Gateways in processes of their own, with one worker each, take the same calls over 64
//! connections: one with nothing configured, one with authentication, quota, billing and the
//! request log, each call charged and on disk before its response, and so on. Prints the CPU time
//! of a call (of the whole process, from `/proc`), and its ratio to the bare call of the same
//! round. Rounds are interleaved, and the ratios are medians. Linux only.

use std::{
    env,
    error::Error,
    fs,
    io::{self, Read},
    net::SocketAddr,
    path::{Path, PathBuf},
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use gateway_benches::{
    mail::{Accepted, Message},
    process::{HASH, KEY, Process, fund, median},
};
use gateway_runtime::{RunningGateway, prelude::*};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const CONNECTIONS: usize = 64;
const ROUND: Duration = Duration::from_secs(2);
/// A question.
#[model]
struct Question {
    /// The subject of the question.
    about: String,
}

/// A mail service that sends nothing.
#[service(name = "mail")]
struct Mail;

#[service]
impl Mail {
    /// Returns the number of addresses.
    #[expose_method(POST, price = "0.000001 USD", quota = "1000000000/s")]
    async fn send(&self, message: Message) -> Result<Accepted> {
        Ok(Accepted { accepted: message.to.len() })
    }

    /// Returns the length of the subject.
    #[expose_method(GET, cache = "1h")]
    async fn ask(&self, question: Question) -> Result<Accepted> {
        Ok(Accepted { accepted: question.about.len() })
    }
}

/// One gateway under measurement.
struct Contestant {
    name: &'static str,
    /// The name of the contestant that this one is compared with.
    beside: &'static str,
    settings: String,
    request: Arc<[u8]>,
}

fn contestants(folder: &Path, postgres: Option<&str>) -> Vec<Contestant> {
    let body = serde_json::to_string(&Message::valid()).unwrap_or_default();
    let key = format!("x-api-key: {KEY}\r\n");
    let send = |key: &str| {
        let length = body.len();
        format!(
            "POST /services/mail/v1/send HTTP/1.1\r\nhost: localhost\r\ncontent-type: \
             application/json\r\n{key}content-length: {length}\r\n\r\n{body}"
        )
    };
    let ask = "GET /services/mail/v1/ask?about=the+weather HTTP/1.1\r\nhost: localhost\r\n\r\n"
        .to_owned();
    let auth = format!("auth.keys.acme = {{ hash = '{HASH}', account = 'acme' }}\n");
    let store = format!("store.path = '{}'\n", folder.join("books.db").display());
    let bare = "quota.enabled = false\ncache.enabled = false\n".to_owned();
    let one = |name, beside, settings, request: &str| Contestant {
        name,
        beside,
        settings,
        request: request.as_bytes().into(),
    };
    let mut all = vec![
        one("bare call", "bare call", bare.clone(), &send("")),
        one("authentication", "bare call", format!("{bare}{auth}"), &send(&key)),
        one("and quota", "bare call", auth.clone(), &send(&key)),
        one("and records and billing, SQLite", "bare call", format!("{auth}{store}"), &send(&key)),
        one("bare read", "bare read", bare, &ask),
        one("a hit of the cache", "bare read", String::new(), &ask),
    ];
    if let Some(url) = postgres {
        all.push(one(
            "and records and billing, PostgreSQL",
            "bare call",
            format!("{auth}store.url = '{url}'\n"),
            &send(&key),
        ));
    }
    all
}

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1).as_deref() {
        Some("serve") => serve(),
        Some(rounds) => measure(rounds.parse()?, env::args().nth(2).as_deref()),
        None => measure(5, None),
    }
}

/// Serves with the settings from standard input, until that is closed: as long as the parent lives.
#[expect(clippy::print_stdout, reason = "the parent reads the address there")]
fn serve() -> Result<(), Box<dyn Error>> {
    let mut lines = io::stdin().lines();
    let mut settings =
        "http.listen = '127.0.0.1:0'\nhttp.workers = 1\nlog.level = 'warn'\n".to_owned();
    for line in lines.by_ref() {
        let line = line?;
        if line == "go" {
            break;
        }
        settings += &line;
        settings += "\n";
    }
    // The lines hold a lock on standard input, which the next read needs.
    drop(lines);
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let gateway: RunningGateway = Gateway::from_toml(&settings)?.start().await?;
        println!("{}", gateway.address());
        tokio::task::spawn_blocking(|| io::stdin().read(&mut [0])).await??;
        gateway.stop().await?;
        Ok(())
    })
}

/// Sends the same request over one connection until it is stopped, and counts the responses.
async fn load(
    address: SocketAddr,
    request: &[u8],
    stop: &AtomicBool,
    answers: &AtomicU64,
) -> io::Result<()> {
    let mut stream = TcpStream::connect(address).await?;
    stream.set_nodelay(true)?;
    let mut buffer = [0; 8192];
    while !stop.load(Ordering::Relaxed) {
        stream.write_all(request).await?;
        let mut end = 0;
        loop {
            let read = stream.read(&mut buffer[end..]).await?;
            if read == 0 {
                return Err(io::Error::other("the gateway closed a connection"));
            }
            end += read;
            if is_whole(&buffer[..end])? {
                break;
            }
        }
        answers.fetch_add(1, Ordering::Relaxed);
    }
    Ok(())
}

/// Drives all connections from one thread: several threads would make the gateway wake for them one
/// by one.
fn all_connections(
    address: SocketAddr,
    request: &[u8],
    stop: &AtomicBool,
    answers: &AtomicU64,
) -> io::Result<()> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build()?;
    let connections = (0..CONNECTIONS).map(|_| load(address, request, stop, answers));
    runtime.block_on(futures_util::future::try_join_all(connections)).map(drop)
}

/// Returns whether the response is complete; fails unless it is a success.
fn is_whole(answer: &[u8]) -> io::Result<bool> {
    let text = String::from_utf8_lossy(answer);
    let Some((head, body)) = text.split_once("\r\n\r\n") else { return Ok(false) };
    if !head.starts_with("HTTP/1.1 200") {
        return Err(io::Error::other(text.into_owned()));
    }
    let length =
        head.lines().find_map(|line| line.strip_prefix("content-length: ")?.parse::<usize>().ok());
    Ok(length.is_some_and(|length| body.len() >= length))
}

/// Measures the CPU time of a call in microseconds, and the calls a second.
fn round(process: &Process, request: &Arc<[u8]>) -> Result<(f64, f64), Box<dyn Error>> {
    let (stop, answers) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let loading = {
        let (address, request) = (process.address(), Arc::clone(request));
        let (stop, answers) = (Arc::clone(&stop), Arc::clone(&answers));
        thread::spawn(move || all_connections(address, &request, &stop, &answers))
    };
    thread::sleep(ROUND / 10);
    let (before, begin, first) =
        (process.cpu_nanos()?, Instant::now(), answers.load(Ordering::Relaxed));
    thread::sleep(ROUND);
    let (nanos, time) = (process.cpu_nanos()? - before, begin.elapsed().as_secs_f64());
    let calls = (answers.load(Ordering::Relaxed) - first) as f64;
    stop.store(true, Ordering::Relaxed);
    loading.join().map_err(|_| "the load panicked")??;
    Ok((nanos as f64 / 1e3 / calls, calls / time))
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn measure(rounds: usize, postgres: Option<&str>) -> Result<(), Box<dyn Error>> {
    if postgres.is_some() && !cfg!(feature = "postgres") {
        return Err("PostgreSQL is not compiled in; run this with `--features postgres`".into());
    }
    let folder = PathBuf::from(env::var_os("STAGES_FOLDER").unwrap_or(env::temp_dir().into()))
        .join(format!("gateway-stages-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    fund(&folder.join("books.db"), postgres)?;
    let all = contestants(&folder, postgres);
    let mut processes = Vec::new();
    for contestant in &all {
        processes.push(Process::start("serve", "0", &contestant.settings)?);
    }
    let mut figures = vec![Vec::new(); all.len()];
    for _ in 0..rounds {
        for ((contestant, process), figures) in all.iter().zip(&processes).zip(&mut figures) {
            figures.push(round(process, &contestant.request)?);
        }
    }
    println!("{:<36} {:>12} {:>10} {:>8}", "", "CPU a call", "calls/s", "ratio");
    for (contestant, of_it) in all.iter().zip(&figures) {
        let base = all.iter().position(|other| other.name == contestant.beside).ok_or("no base")?;
        let ratio = median(of_it.iter().zip(&figures[base]).map(|(one, base)| one.0 / base.0));
        let (cpu, rate) = (median(of_it.iter().map(|f| f.0)), median(of_it.iter().map(|f| f.1)));
        println!("{:<36} {cpu:>9.1} us {rate:>10.0} {ratio:>8.2}", contestant.name);
    }
    drop(processes);
    fs::remove_dir_all(&folder)?;
    Ok(())
}
