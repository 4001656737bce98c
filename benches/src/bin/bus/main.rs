//! The gateway with a message bus, beside plain `lapin` in the same run:
//! `cargo run --release -p gateway-benches --features amqp --bin bus -- AMQP-URL [rounds]`.
//!
//! Callers and repliers are programs of their own, with one thread each where the program decides
//! that; the broker is the server at the URL. A round runs each pair in turn, with one and with 256
//! calls in flight. The output is the median of the rounds, and its ratio to the pair
//! `lapin → lapin`. `… -- AMQP-URL pending` prints the memory of a call that waits for its reply.
//! Linux only.

mod ask;
mod plain;
mod sdk;

use std::{
    env,
    error::Error,
    fs,
    io::{BufRead, BufReader},
    process::{Child, Command, Stdio},
    time::Duration,
};

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

type Outcome<T> = Result<T, Box<dyn Error + Send + Sync>>;

/// The time for which each pair is measured.
const MEASURED: Duration = Duration::from_secs(2);
/// The warm-up time before.
const WARM: Duration = Duration::from_millis(500);
/// The routing key by which repliers are bound, and the path that leads to it.
const KEY: &str = "accept";

/// The pairs of a caller and a replier: name, caller's role, replier's role.
const PAIRS: [(&str, &str, &str); 7] = [
    ("lapin → lapin", "ask-plain", "answer-plain"),
    ("lapin with confirms → lapin", "ask-confirmed", "answer-plain"),
    ("broker → lapin", "ask-broker", "answer-plain"),
    ("HTTP → gateway → lapin", "ask-http", "answer-plain"),
    ("lapin → lapin, over a quorum queue", "ask-plain", "answer-quorum"),
    ("lapin → gateway's method", "ask-plain", "answer-methods"),
    ("lapin → gateway's method, 2 workers", "ask-plain", "answer-methods-2"),
];

fn main() -> Outcome<()> {
    let arguments: Vec<String> = env::args().skip(1).collect();
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    match words.as_slice() {
        ["answer-plain", url, queue] => runtime.block_on(plain::answer(url, queue, false)),
        ["answer-quorum", url, queue] => runtime.block_on(plain::answer(url, queue, true)),
        ["answer-methods", url, queue] => runtime.block_on(sdk::answer(url, queue, 1)),
        ["answer-methods-2", url, queue] => runtime.block_on(sdk::answer(url, queue, 2)),
        ["relay", url, queue] => runtime.block_on(sdk::relay(url, queue)),
        ["ask-plain", url, queue, in_flight] => {
            runtime.block_on(plain::ask(url, queue, in_flight.parse()?, false))
        }
        ["ask-confirmed", url, queue, in_flight] => {
            runtime.block_on(plain::ask(url, queue, in_flight.parse()?, true))
        }
        ["ask-broker", url, queue, in_flight] => {
            runtime.block_on(sdk::ask(url, queue, in_flight.parse()?))
        }
        ["ask-http", url, queue, in_flight] => {
            let (relay, address) = start(&["relay", url, queue])?;
            let asked = runtime.block_on(ask::over_http(
                &address,
                &format!("/{queue}/{KEY}"),
                in_flight.parse()?,
            ));
            let cpu = cpu_of(relay.0.id())?;
            asked?.print(Some(cpu))
        }
        [url, "pending"] => runtime.block_on(sdk::pending(url)),
        [url] => measure(url, 3),
        [url, rounds] => measure(url, rounds.parse()?),
        _ => Err("wants the URL of a RabbitMQ, and the number of rounds or `pending`".into()),
    }
}

/// A child process; it is killed when this is dropped.
struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Starts this program in another role and waits for its first line.
fn start(words: &[&str]) -> Outcome<(Running, String)> {
    let mut child = Command::new(env::current_exe()?).args(words).stdout(Stdio::piped()).spawn()?;
    let output = child.stdout.take().ok_or("no output")?;
    let (running, mut line) = (Running(child), String::new());
    BufReader::new(output).read_line(&mut line)?;
    if line.is_empty() {
        return Err(format!("{words:?} ended").into());
    }
    Ok((running, line.trim().to_owned()))
}

/// Returns the CPU time of a process in seconds.
fn cpu_of(process: u32) -> Outcome<f64> {
    let mut nanos = 0;
    for thread in fs::read_dir(format!("/proc/{process}/task"))? {
        let spent = fs::read_to_string(thread?.path().join("schedstat")).unwrap_or_default();
        nanos += spent.split(' ').next().and_then(|spent| spent.parse::<u64>().ok()).unwrap_or(0);
    }
    #[expect(clippy::cast_precision_loss, reason = "it is printed")]
    Ok(nanos as f64 / 1e9)
}

/// The measurements of a pair: round trips a second, the median of their times in µs, and the CPU
/// time of the caller and of the replier for each in µs.
type Figures = [f64; 4];

#[expect(clippy::print_stdout, reason = "this is what it is for")]
fn measure(url: &str, rounds: usize) -> Outcome<()> {
    let mut all: Vec<(usize, &str, Vec<Figures>)> = Vec::new();
    for _ in 0..rounds {
        for in_flight in [1, 256] {
            for (name, asking, answering) in PAIRS {
                let figures = pair(url, asking, answering, in_flight)?;
                match all.iter_mut().find(|(n, other, _)| (*n, *other) == (in_flight, name)) {
                    Some((_, _, rounds)) => rounds.push(figures),
                    None => all.push((in_flight, name, vec![figures])),
                }
            }
        }
    }
    println!(
        "| in flight | who asks and who answers | round trips/s | ratio | p50 µs | ratio | asking, \
         CPU µs | answering, CPU µs |"
    );
    println!("|---|---|---|---|---|---|---|---|");
    let mut beside = Figures::default();
    for (in_flight, name, rounds) in &mut all {
        let [rate, p50, asking, answering] = [0, 1, 2, 3].map(|which| median(rounds, which));
        if *name == PAIRS[0].0 {
            beside = [rate, p50, asking, answering];
        }
        println!(
            "| {in_flight} | {name} | {rate:.0} | {:.2} | {p50:.0} | {:.2} | {asking:.1} | \
             {answering:.1} |",
            rate / beside[0],
            p50 / beside[1]
        );
    }
    Ok(())
}

fn median(rounds: &mut [Figures], which: usize) -> f64 {
    rounds.sort_by(|a, b| a[which].total_cmp(&b[which]));
    rounds[rounds.len() / 2][which]
}

fn pair(url: &str, asking: &str, answering: &str, in_flight: usize) -> Outcome<Figures> {
    let queue = format!("bench-{}-{}", std::process::id(), env_number());
    let (answering, _) = start(&[answering, url, &queue])?;
    let before = cpu_of(answering.0.id())?;
    let asked = Command::new(env::current_exe()?)
        .args([asking, url, &queue, &in_flight.to_string()])
        .output()?;
    let said = String::from_utf8_lossy(&asked.stdout).into_owned();
    let figures: Vec<f64> =
        said.split_whitespace().filter_map(|figure| figure.parse().ok()).collect();
    let [total, rate, p50, cpu] = figures[..] else {
        return Err(format!("{said}{}", String::from_utf8_lossy(&asked.stderr)).into());
    };
    Ok([rate, p50, cpu, (cpu_of(answering.0.id())? - before) / total * 1e6])
}

/// Returns another number at each call.
fn env_number() -> u32 {
    use std::sync::atomic::{AtomicU32, Ordering};
    static NEXT: AtomicU32 = AtomicU32::new(0);
    NEXT.fetch_add(1, Ordering::Relaxed)
}
