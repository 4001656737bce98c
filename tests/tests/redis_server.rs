//! Redis for tests: the server that `TEST_REDIS_URL` names, as `./test` does, and servers of a
//! test's own, which it freezes and kills. Those are started from `TEST_REDIS_SERVER`, or
//! `redis-server` on the path.

use std::{
    net::TcpListener,
    path::PathBuf,
    process::{Child, Command, Stdio},
    time::{Duration, Instant},
};

/// Returns the setting for a gateway on the common server, with keys of its own; prints a line and
/// returns `None` if there is no server. The time limit is so long that the server is never
/// unavailable, however busy the machine.
pub(crate) fn setting() -> Option<String> {
    let url = std::env::var("TEST_REDIS_URL").ok();
    if url.is_none() {
        eprintln!("not run: TEST_REDIS_URL names no server");
    }
    Some(format!("redis = {{ url = '{}', prefix = '{}', timeout = '20s' }}\n", url?, name()))
}

fn name() -> String {
    format!("gateway-test-{}-{:08x}", std::process::id(), fastrand::u32(..))
}

/// A server of a test's own, on a free port.
pub(crate) struct RedisServer {
    folder: PathBuf,
    port: u16,
    more: Vec<String>,
    child: Child,
}

impl RedisServer {
    /// Starts a server; prints a line and returns `None` if Redis is not installed.
    pub(crate) fn start() -> Option<Self> {
        Self::start_with(Vec::new())
    }

    /// Starts the only node of a cluster: it refuses commands over several hash slots.
    pub(crate) fn start_cluster() -> Option<Self> {
        let options = ["--cluster-enabled", "yes", "--cluster-port", &free_port().to_string()]
            .map(str::to_owned);
        let server = Self::start_with(options.into())?;
        let mut connection = server.connection().unwrap();
        redis::cmd("CLUSTER").arg("ADDSLOTSRANGE").arg(0).arg(16383).exec(&mut connection).unwrap();
        eventually("the cluster is complete", || {
            let info: String = redis::cmd("CLUSTER").arg("INFO").query(&mut connection).unwrap();
            info.contains("cluster_state:ok")
        });
        Some(server)
    }

    fn start_with(more: Vec<String>) -> Option<Self> {
        let folder = std::env::temp_dir().join(name());
        std::fs::create_dir_all(&folder).unwrap();
        let port = free_port();
        let Some(child) = spawn(&folder, port, &more) else {
            eprintln!("not run: there is no redis-server, and TEST_REDIS_SERVER names none");
            return None;
        };
        let server = Self { folder, port, more, child };
        server.until_it_answers();
        Some(server)
    }

    /// Returns the setting for a gateway on this server, with this time limit.
    pub(crate) fn setting(&self, timeout: Duration) -> String {
        format!(
            "redis = {{ url = 'redis://127.0.0.1:{}', timeout = '{}ms' }}\n",
            self.port,
            timeout.as_millis()
        )
    }

    pub(crate) fn command(&self, words: &[&str]) {
        redis::cmd(words[0]).arg(&words[1..]).exec(&mut self.connection().unwrap()).unwrap();
    }

    /// Freezes the server: it still accepts connections and bytes, and does nothing.
    pub(crate) fn freeze(&self) {
        self.signal("STOP");
    }

    pub(crate) fn thaw(&self) {
        self.signal("CONT");
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// Starts an empty server again at the same address.
    pub(crate) fn start_again(&mut self) {
        self.child = spawn(&self.folder, self.port, &self.more).unwrap();
        self.until_it_answers();
    }

    fn signal(&self, signal: &str) {
        let done = Command::new("sh")
            .arg("-c")
            .arg(format!("kill -{signal} {}", self.child.id()))
            .status()
            .unwrap();
        assert!(done.success());
    }

    fn connection(&self) -> redis::RedisResult<redis::Connection> {
        redis::Client::open(format!("redis://127.0.0.1:{}", self.port))?.get_connection()
    }

    fn until_it_answers(&self) {
        eventually("the server answers", || {
            self.connection().is_ok_and(|mut c| redis::cmd("PING").exec(&mut c).is_ok())
        });
    }
}

impl Drop for RedisServer {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn spawn(folder: &std::path::Path, port: u16, more: &[String]) -> Option<Child> {
    let program = std::env::var("TEST_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned());
    let mut command = Command::new(program);
    command
        .args(["--bind", "127.0.0.1", "--save", "", "--port", &port.to_string(), "--dir"])
        .arg(folder)
        .args(more);
    command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().ok()
}

fn free_port() -> u16 {
    TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port()
}

fn eventually(what: &str, mut is_so: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !is_so() {
        assert!(Instant::now() < deadline, "not in time: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}
