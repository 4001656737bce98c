//! Processes under measurement, each pinned to a core, and the account that pays for their calls.

use std::{
    env,
    error::Error,
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    path::Path,
    process::{Child, Command, Stdio},
    sync::Arc,
};

use gateway_runtime::{
    Currency, Money,
    store::{Command as StoreCommand, Credit, Sqlite, Store},
};

/// The API key of the account `acme`.
pub const KEY: &str = "gk_acme_measuring-key-of-acme";
/// The SHA-256 of [`KEY`], as the configuration has it.
pub const HASH: &str = "24cc0d5d34171f7e28ea67a50141bb3c90c4aa96a0559501b0ba404de7c3f909";

/// Opens the account `acme` in the file, and in PostgreSQL if there is a URL, with more money than
/// all calls can cost.
///
/// # Errors
///
/// Fails if a database cannot be written.
pub fn fund(file: &Path, postgres: Option<&str>) -> Result<(), Box<dyn Error>> {
    let amount = Money::from_nanos(i64::MAX / 2, Currency::from_code("USD").ok_or("no dollar")?);
    let (account, who): (Arc<str>, Arc<str>) = ("acme".into(), "a benchmark".into());
    let open = StoreCommand::OpenAccount {
        account: Arc::clone(&account),
        plan: "standard".into(),
        at: 1,
        who: Arc::clone(&who),
    };
    let credit =
        StoreCommand::Credit(Credit { account, amount, reference: "the first".into(), at: 1, who });
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    runtime.block_on(async {
        let changes = [open, credit];
        Store::new(Sqlite::open(file).await?).commit(&changes).await?;
        #[cfg(feature = "postgres")]
        if let Some(url) = postgres {
            let database =
                gateway_runtime::store::Postgres::connect(&gateway_runtime::Secret::new(url), 1)
                    .await?;
            Store::new(database).commit(&changes).await?;
        }
        let _ = postgres;
        Ok(())
    })
}

/// A process of this program in another role; dropping this ends the process and waits for it.
///
/// The role reads its settings from standard input up to a line `go`, prints its addresses on one
/// line, and ends when standard input is closed.
#[derive(Debug)]
pub struct Process {
    child: Child,
    addresses: Vec<SocketAddr>,
}

impl Process {
    /// Starts this program with the argument `role` on a core of its own, as far as that is
    /// possible.
    ///
    /// # Errors
    ///
    /// Fails if the process does not print its address.
    pub fn start(role: &str, core: &str, settings: &str) -> Result<Self, Box<dyn Error>> {
        let mut child = Command::new("taskset")
            .args(["--cpu-list", core])
            .arg(env::current_exe()?)
            .arg(role)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()?;
        child
            .stdin
            .as_mut()
            .ok_or("no input")?
            .write_all(format!("{settings}\ngo\n").as_bytes())?;
        let mut line = String::new();
        BufReader::new(child.stdout.take().ok_or("no output")?).read_line(&mut line)?;
        let addresses = line.split_whitespace().map(str::parse).collect::<Result<Vec<_>, _>>()?;
        if addresses.is_empty() {
            Err("a process listens nowhere".into())
        } else {
            Ok(Self { child, addresses })
        }
    }

    /// Returns the address for calls.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.addresses[0]
    }

    /// Returns the CPU time of all threads in nanoseconds.
    ///
    /// # Errors
    ///
    /// Fails if `/proc` cannot be read.
    pub fn cpu_nanos(&self) -> Result<u64, Box<dyn Error>> {
        self.sum("schedstat", |text| text.split_whitespace().next()?.parse().ok())
    }

    /// Returns how often threads went to sleep, which is how often they were woken.
    ///
    /// # Errors
    ///
    /// Fails if `/proc` cannot be read.
    pub fn sleeps(&self) -> Result<u64, Box<dyn Error>> {
        self.sum("status", |text| {
            let line =
                text.lines().find_map(|line| line.strip_prefix("voluntary_ctxt_switches:"))?;
            line.trim().parse().ok()
        })
    }

    fn sum(&self, file: &str, read: impl Fn(&str) -> Option<u64>) -> Result<u64, Box<dyn Error>> {
        let mut sum = 0;
        for thread in fs::read_dir(format!("/proc/{}/task", self.child.id()))? {
            // Threads may end meanwhile.
            let text = fs::read_to_string(thread?.path().join(file)).unwrap_or_default();
            sum += read(&text).unwrap_or(0);
        }
        Ok(sum)
    }

    /// Returns the number of transactions that the gateway has committed; `None` for a process
    /// without metrics.
    #[must_use]
    pub fn commits(&self) -> Option<u64> {
        let admin = self.addresses.get(1)?;
        let mut connection = TcpStream::connect(admin).ok()?;
        let request =
            format!("GET /metrics HTTP/1.1\r\nhost: {admin}\r\nconnection: close\r\n\r\n");
        connection.write_all(request.as_bytes()).ok()?;
        let mut text = String::new();
        connection.read_to_string(&mut text).ok()?;
        let line =
            text.lines().find_map(|line| line.strip_prefix("gateway_store_commits_total "))?;
        line.trim().parse().ok()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        drop(self.child.stdin.take());
        let _ = self.child.wait();
    }
}

/// Returns the median.
#[must_use]
pub fn median(figures: impl Iterator<Item = f64>) -> f64 {
    let mut figures: Vec<_> = figures.collect();
    figures.sort_by(f64::total_cmp);
    figures.get(figures.len() / 2).copied().unwrap_or(f64::NAN)
}
