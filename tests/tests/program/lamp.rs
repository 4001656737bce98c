//! A service, and a process that serves it as its command line and environment say.

use std::{
    fs,
    io::{BufRead, BufReader, Read, Write},
    net::TcpStream,
    path::PathBuf,
    process::{Child, ChildStderr, Command, ExitStatus, Stdio},
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
        mpsc::{Receiver, channel},
    },
    time::{Duration, Instant},
};

use gateway_runtime::prelude::*;

/// The variable with the arguments of the process, a line each.
const ARGUMENTS: &str = "TEST_PROGRAM_ARGUMENTS";

/// The time limit of every operation on a busy machine.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// A lamp.
#[service(name = "lamp", version = 1)]
pub(super) struct Lamp;

#[service]
impl Lamp {
    /// Returns whether the lamp is on.
    #[expose_method(GET)]
    async fn look(&self) -> Result<String> {
        Ok("on".to_owned())
    }

    /// Looks for a second.
    #[expose_method(GET)]
    async fn stare(&self) -> Result<String> {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok("still on".to_owned())
    }

    /// Panics.
    #[expose_method(GET)]
    async fn smash(&self) -> Result<String> {
        panic!("smashed to\u{2028}pieces")
    }
}

/// The process: this program again, with only this test.
#[test]
#[ignore = "what other tests start"]
fn serve() {
    let Ok(arguments) = std::env::var(ARGUMENTS) else { return };
    let gateway = Gateway::from_arguments_over("", arguments.lines().map(Into::into));
    if let Err(error) = gateway.and_then(Gateway::run) {
        eprintln!("{error}");
        std::process::exit(1);
    }
}

/// A folder with a configuration.
pub(super) struct Folder(PathBuf);

impl Folder {
    pub(super) fn new(settings: &str) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("gateway-program-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let this = Self(folder);
        this.write(settings);
        this
    }

    /// Replaces the settings, except those for listening.
    pub(super) fn write(&self, settings: &str) {
        let common = "http.listen = '127.0.0.1:0'\nhttp.workers = 1\n\
                      secrets.EDGE_WEBHOOK_SECRET = 'not used'\nsecrets.EMAIL_WEBHOOK_SECRET = \
                      'not used'\n";
        fs::write(self.0.join("gateway.toml"), format!("{common}{settings}")).unwrap();
    }

    pub(super) fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn command(&self, arguments: &str, environment: &[(&str, &str)]) -> Command {
        let file = self.0.join("gateway.toml");
        let mut command = Command::new(std::env::current_exe().unwrap());
        command.args(["--ignored", "--exact", "program::lamp::serve", "--nocapture"]);
        command.env(ARGUMENTS, format!("--config\n{}\n{arguments}", file.display()));
        command.envs(environment.iter().copied()).current_dir(&self.0);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        command
    }

    /// Runs a program that ends by itself; returns whether it succeeded, and its output and errors.
    pub(super) fn run(
        &self,
        arguments: &str,
        environment: &[(&str, &str)],
    ) -> (bool, String, String) {
        let ended = self.command(arguments, environment).output().unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (ended.status.success(), text(ended.stdout), text(ended.stderr))
    }

    /// Returns the error with which the program does not start.
    pub(super) fn refused(&self, arguments: &str, environment: &[(&str, &str)]) -> String {
        let (is_success, _, errors) = self.run(arguments, environment);
        assert!(!is_success, "it starts: {errors}");
        errors
    }

    /// Starts a program that serves, and reads its log until it listens.
    pub(super) fn serve(&self, arguments: &str, environment: &[(&str, &str)]) -> Serving {
        let mut child = self.command(arguments, environment).spawn().unwrap();
        let mut log = BufReader::new(child.stderr.take().unwrap());
        let start = loop {
            let mut line = String::new();
            assert!(log.read_line(&mut line).unwrap() > 0, "it ended before it listened");
            if line.contains("\"listening\"") {
                break line;
            }
        };
        let address = start.split("http://").nth(1).unwrap().split('"').next().unwrap().to_owned();
        Serving { child, address, start, log: Mutex::new(Some(log)) }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A process that serves.
pub(super) struct Serving {
    child: Child,
    pub(super) address: String,
    /// The log line of the start.
    pub(super) start: String,
    log: Mutex<Option<BufReader<ChildStderr>>>,
}

impl Serving {
    /// Returns the further lines of the log. Until this is called nobody reads them.
    pub(super) fn lines(&self) -> Receiver<String> {
        let (sender, lines) = channel();
        let log = self.log.lock().unwrap().take().unwrap();
        std::thread::spawn(move || {
            log.lines().map_while(Result::ok).try_for_each(|line| sender.send(line))
        });
        lines
    }

    pub(super) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(super) fn signal(&self, name: &str) {
        let sent =
            Command::new("kill").args(["-s", name, &self.child.id().to_string()]).status().unwrap();
        assert!(sent.success());
    }

    /// Waits for the end of the process.
    pub(super) fn ended(mut self) -> ExitStatus {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status;
            }
            assert!(Instant::now() < deadline, "it does not end");
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Sends a GET; returns the status and the body.
    pub(super) fn get(&self, path: &str, field: &str) -> (u16, String) {
        let mut stream = TcpStream::connect(&self.address).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        let request = format!(
            "GET {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n{field}\r\n",
            self.address
        );
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        let status = answer.split(' ').nth(1).unwrap().parse().unwrap();
        (status, answer.split_once("\r\n\r\n").unwrap().1.to_owned())
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        // A process that has already ended cannot be killed.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
