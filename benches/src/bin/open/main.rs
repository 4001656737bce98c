//! Open-loop load on charged calls through a provider that takes 50 ms:
//! `cargo run --profile production -p gateway-benches --features postgres --bin open`, optionally
//! with `-- [rounds] [PostgreSQL URL]`.
//!
//! A closed loop hides waiting: each client sends its next call after the previous response, so a
//! slow gateway gets less to do. Here calls are due at fixed times, and their latency counts from
//! then. Contestants are the provider's stand-in itself (`direct`), a bare forwarder of hyper and
//! reqwest, and gateways that authenticate, hold and charge money and write a row of the request
//! log, on disk before the response. Each runs in a process of its own on one core; the load and
//! the stand-in have the other.
//!
//! Prints, for each rate, p50 and p99 above those of `direct` in the same round, the CPU time of a
//! call, the thread sleeps of a call, and commits a second; and the CPU time at rest. Rounds are
//! interleaved; medians. Linux only.
//!
//! The variables `OPEN_RATES` (`30,1000,2000`), `OPEN_SECONDS` (`4`) and `OPEN_ONLY` (`SQLite`)
//! select the rates, the seconds and the contestants.

mod gateway;
mod load;
mod peers;

use std::{
    env,
    error::Error,
    fs,
    net::SocketAddr,
    path::Path,
    thread,
    time::{Duration, Instant},
};

use gateway_benches::{
    mail::Message,
    process::{HASH, KEY, Process, fund, median},
};

use self::load::Load;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// The core of the contestant under measurement.
const CONTESTANT: &str = "0";
/// The core of the load and of the stand-in.
const OTHERS: &str = "1";

fn main() -> Result<(), Box<dyn Error>> {
    match env::args().nth(1).as_deref() {
        Some("gateway") => gateway::serve(),
        Some("forwarder") => peers::forward(),
        Some("stand-in") => peers::stand_in(),
        Some(rounds) => measure(rounds.parse()?, env::args().nth(2).as_deref()),
        None => measure(5, None),
    }
}

/// A process that takes the calls.
struct Contestant {
    name: &'static str,
    process: Process,
    request: Vec<u8>,
}

/// The measurements of one contestant in one round.
struct Round {
    p50: f64,
    p99: f64,
    cpu_micros: f64,
    sleeps: f64,
    commits: Option<f64>,
}

#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn measure(rounds: usize, postgres: Option<&str>) -> Result<(), Box<dyn Error>> {
    if postgres.is_some() && !cfg!(feature = "postgres") {
        return Err("PostgreSQL is not compiled in; run this with `--features postgres`".into());
    }
    let folder = env::temp_dir().join(format!("gateway-open-{}", std::process::id()));
    fs::create_dir_all(&folder)?;
    fund(&folder.join("books.db"), postgres)?;
    let contestants = contestants(&folder, postgres)?;
    let seconds = env::var("OPEN_SECONDS").map_or(Ok(4), |text| text.parse())?;
    let rates = env::var("OPEN_RATES").unwrap_or("30,1000,2000".to_owned());
    rest(&contestants, Duration::from_secs(seconds))?;
    for rate in rates.split(',') {
        let rate: u32 = rate.trim().parse()?;
        let mut figures: Vec<Vec<Round>> = contestants.iter().map(|_| Vec::new()).collect();
        for _ in 0..rounds {
            for (contestant, figures) in contestants.iter().zip(&mut figures) {
                figures.push(round(contestant, rate, Duration::from_secs(seconds))?);
            }
        }
        println!(
            "\n{:<24} {:>14} {:>14} {:>11} {:>14} {:>11}",
            format!("{rate} calls/s"),
            "added p50 ms",
            "added p99 ms",
            "CPU us/call",
            "sleeps/call",
            "commits/s"
        );
        for (contestant, of_it) in contestants.iter().zip(&figures) {
            let added = |read: fn(&Round) -> f64| {
                let differences =
                    of_it.iter().zip(&figures[0]).map(|(one, direct)| read(one) - read(direct));
                median(differences) * 1e3
            };
            let commits = of_it.iter().filter_map(|round| round.commits).collect::<Vec<_>>();
            println!(
                "{:<24} {:>14.2} {:>14.2} {:>11.0} {:>14.2} {:>11.0}",
                contestant.name,
                added(|round| round.p50),
                added(|round| round.p99),
                median(of_it.iter().map(|round| round.cpu_micros)),
                median(of_it.iter().map(|round| round.sleeps)),
                median(commits.into_iter())
            );
        }
    }
    drop(contestants);
    fs::remove_dir_all(&folder)?;
    Ok(())
}

fn contestants(folder: &Path, postgres: Option<&str>) -> Result<Vec<Contestant>, Box<dyn Error>> {
    let only = env::var("OPEN_ONLY").ok();
    let direct = Process::start("stand-in", OTHERS, "")?;
    let provider = direct.address();
    let mut all = vec![Contestant { name: "direct", process: direct, request: request("/", "")? }];
    let is_wanted = |name: &str| only.as_deref().is_none_or(|only| only == name);
    if is_wanted("hyper and reqwest") {
        let process = Process::start("forwarder", CONTESTANT, &format!("http://{provider}/"))?;
        all.push(Contestant { name: "hyper and reqwest", process, request: request("/", "")? });
    }
    let stores = [
        ("SQLite", Some(format!("store.path = '{}'", folder.join("books.db").display()))),
        ("PostgreSQL", postgres.map(|url| format!("store.url = '{url}'"))),
    ];
    for (name, store) in stores {
        let Some(store) = store.filter(|_| is_wanted(name)) else { continue };
        let process = Process::start("gateway", CONTESTANT, &settings(provider, &store))?;
        let request = request("/services/mail/v1/send", &format!("x-api-key: {KEY}\r\n"))?;
        all.push(Contestant { name, process, request });
    }
    Ok(all)
}

fn settings(provider: SocketAddr, store: &str) -> String {
    format!(
        "http.listen = '127.0.0.1:0'\nhttp.workers = 1\nadmin.listen = '127.0.0.1:0'\nlog.level = \
         'warn'\n{store}\n\
         auth.keys.acme = {{ hash = '{HASH}', account = 'acme' }}\nproviders.carrier.base_url = \
         'http://{provider}/'"
    )
}

fn request(path: &str, key: &str) -> Result<Vec<u8>, Box<dyn Error>> {
    let body = serde_json::to_string(&Message::valid())?;
    let length = body.len();
    let head = "host: localhost\r\ncontent-type: application/json";
    Ok(format!("POST {path} HTTP/1.1\r\n{head}\r\n{key}content-length: {length}\r\n\r\n{body}")
        .into_bytes())
}

/// Prints the CPU time of idle contestants.
#[expect(clippy::print_stdout, reason = "the figures are what this program is for")]
fn rest(contestants: &[Contestant], time: Duration) -> Result<(), Box<dyn Error>> {
    // The pause excludes work that is done once after the start.
    thread::sleep(Duration::from_secs(2));
    println!("{:<24} {:>14} {:>14}", "at rest", "CPU ms/s", "sleeps/s");
    let before =
        contestants.iter().map(|one| Ok((one.process.cpu_nanos()?, one.process.sleeps()?)));
    let before = before.collect::<Result<Vec<_>, Box<dyn Error>>>()?;
    let begin = Instant::now();
    thread::sleep(time);
    let seconds = begin.elapsed().as_secs_f64();
    for (contestant, (cpu, sleeps)) in contestants.iter().zip(before) {
        let cpu = (contestant.process.cpu_nanos()? - cpu) as f64 / 1e6 / seconds;
        let sleeps = (contestant.process.sleeps()? - sleeps) as f64 / seconds;
        println!("{:<24} {cpu:>14.2} {sleeps:>14.1}", contestant.name);
    }
    Ok(())
}

fn round(contestant: &Contestant, rate: u32, time: Duration) -> Result<Round, Box<dyn Error>> {
    let process = &contestant.process;
    let load = Load::open(process.address(), contestant.request.clone(), rate)?;
    load.run(time / 4)?;
    let (commits, cpu, sleeps) = (process.commits(), process.cpu_nanos()?, process.sleeps()?);
    let begin = Instant::now();
    let mut latencies = load.run(time)?;
    let calls = latencies.len() as f64;
    let cpu = (process.cpu_nanos()? - cpu) as f64;
    let sleeps = (process.sleeps()? - sleeps) as f64;
    let seconds = begin.elapsed().as_secs_f64();
    let commits =
        process.commits().zip(commits).map(|(after, before)| (after - before) as f64 / seconds);
    latencies.sort_by(f64::total_cmp);
    let percentile = |part: f64| latencies[((calls * part) as usize).min(latencies.len() - 1)];
    let (p50, p99) = (percentile(0.5), percentile(0.99));
    Ok(Round { p50, p99, cpu_micros: cpu / 1e3 / calls, sleeps: sleeps / calls, commits })
}
