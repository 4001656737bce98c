//! The gateway under test, in a process of its own: the test program itself, started again.

use std::{
    fs::{self, File},
    io::Read,
    path::PathBuf,
    process::{Child, Command, Stdio},
    sync::atomic::{AtomicU64, Ordering},
    time::Instant,
};

use gateway_runtime::{
    prelude::*,
    sqlx,
    telemetry::{self, LogFormat, LogSettings},
};
use sha2::{Digest, Sha256};

use crate::{
    START_TIMEOUT,
    planted::{
        ADMIN_TOKEN, API_KEY, DATABASE_PASSWORD, INTERNAL_KEY, PASSPHRASE, PROVIDER_KEY,
        REDIS_PASSWORD, WEBHOOK_SECRET,
    },
};

/// The environment variable with the folder of the configuration, to which the process also writes
/// its addresses.
const FOLDER: &str = "GATEWAY_TEST_SECRETS";

/// A source of text.
#[capability]
trait Source {
    /// Returns the text.
    #[provide_method(effect = read)]
    async fn tell(&self) -> Result<String, ProviderError>;
}

/// The settings of the vendor.
#[derive(Debug, Deserialize, JsonSchema)]
struct VendorConfig {
    /// The base URL.
    #[serde(default)]
    base_url: String,
    /// The key that the vendor requires.
    key: Option<Secret>,
}

/// A vendor that cannot be reached.
#[provider(name = "vendor")]
struct Vendor {
    http: HttpClient,
    config: Config<VendorConfig>,
}

#[provider]
impl Source for Vendor {
    #[provide_method]
    async fn tell(&self) -> Result<String, ProviderError> {
        let key = self.config.key.clone().unwrap_or_else(|| Secret::new(""));
        let request = self
            .http
            .get(format!("{}/tell", self.config.base_url))
            .bearer(&key)
            .secret_query("key", &key);
        request.secret_header("x-key", &key).basic("gateway", &key).send().await?.text().await
    }
}

/// A service that calls the vendor.
#[service(name = "vendor")]
struct Desk {
    config: Config<VendorConfig>,
}

#[service]
impl Desk {
    /// Returns the vendor's text.
    #[expose_method(GET, cache = "60s", quota = "1000/min")]
    async fn ask(&self, vendors: Providers<dyn Source>) -> Result<String> {
        Ok(vendors.tell().await?)
    }

    /// Returns the vendor's text for a price.
    #[expose_method(GET, price = "0.001 USD")]
    async fn buy(&self, vendors: Providers<dyn Source>) -> Result<String> {
        Ok(vendors.tell().await?)
    }

    /// Panics with its configuration in the message.
    #[expose_method(GET)]
    async fn fall(&self) -> Result<String> {
        panic!("{:?}", self.config)
    }

    /// Fails with its configuration in the message.
    #[expose_method(POST, idempotency = required)]
    async fn fail(&self, caller: Caller) -> Result<String> {
        Err(Error::internal(format!("{:?} {caller:?}", self.config)))
    }

    /// Receives a webhook of the vendor.
    #[expose_method(POST, webhook = HmacSha256("VENDOR_WEBHOOK_SECRET"))]
    async fn news(&self) -> Result<()> {
        Ok(())
    }
}

/// A folder with all that a gateway needs.
pub(crate) struct Folder(PathBuf);

impl Folder {
    /// Creates a folder with a configuration and encrypted credentials.
    pub(crate) fn sealed() -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let folder =
            std::env::temp_dir().join(format!("gateway-secrets-{}-{number}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let this = Self(folder);
        let store =
            match std::env::var("TEST_POSTGRES_URL").ok().and_then(|url| with_password(&url)) {
                Some(url) => format!("url = '{url}'"),
                None => format!("path = '{}'", this.0.join("books.db").display()),
            };
        let section = format!("[credentials]\nfolder = '{}'\n", this.0.display());
        this.write(
            "gateway.toml",
            &format!(
                "[http]\nlisten = '127.0.0.1:0'\nworkers = 1\n[log]\nlevel = 'trace'\nformat = \
                 'json'\n[admin]\nlisten = '127.0.0.1:0'\n\
                 [auth.keys.partner]\nhash = '{}'\naccount = 'acme'\n{section}profile = 'live'\n",
                hash(API_KEY)
            ),
        );
        let credentials = format!(
            "[admin]\ntoken = '{ADMIN_TOKEN}'\n[services.vendor]\nkey = '{PROVIDER_KEY}'\n\
             [providers.vendor]\n\
             base_url = 'http://127.0.0.1:1'\nkey = '{PROVIDER_KEY}'\n[secrets]\n\
             VENDOR_WEBHOOK_SECRET = '{WEBHOOK_SECRET}'\n\
             [store]\n{store}\n"
        );
        this.write("plain.toml", &section);
        let options = ["--config".into(), this.0.join("plain.toml").into_os_string()];
        let sealed = gateway_runtime::Credentials::from_arguments_over("", options).unwrap();
        sealed
            .with_passphrase(Secret::new(PASSPHRASE))
            .seal("live", &Secret::new(credentials))
            .unwrap();
        this
    }

    fn write(&self, name: &str, text: &str) {
        fs::write(self.0.join(name), text).unwrap();
    }

    fn program(&self, what: &str) -> Command {
        let mut program = Command::new(std::env::current_exe().unwrap());
        program.args(["--ignored", "--exact", what, "--nocapture"]).env(FOLDER, &self.0);
        program
            .env("GATEWAY__CREDENTIALS__PASSPHRASE", PASSPHRASE)
            .env("INTERNAL_GATEWAY_KEY", INTERNAL_KEY);
        program
    }

    pub(crate) fn serve(&self) -> Serving {
        let log = self.0.join("log");
        let file = File::create(&log).unwrap();
        let redis = Redis::start(&self.0);
        let mut program = self.program("gateway::serve");
        if let Some(redis) = &redis {
            program.env(
                "GATEWAY__REDIS__URL",
                format!("redis://:{REDIS_PASSWORD}@127.0.0.1:{}", redis.port),
            );
        }
        program.stdin(Stdio::piped()).stdout(file.try_clone().unwrap()).stderr(file);
        let mut child = program.spawn().unwrap();
        let addresses = self.0.join("addresses");
        let deadline = Instant::now() + START_TIMEOUT;
        let addresses = loop {
            match fs::read_to_string(&addresses) {
                Ok(text) if text.ends_with('\n') => break text,
                _ => std::thread::sleep(std::time::Duration::from_millis(20)),
            }
            let has_ended = child.try_wait().unwrap().is_some();
            assert!(
                !has_ended && Instant::now() < deadline,
                "it does not serve: {}",
                fs::read_to_string(&log).unwrap()
            );
        };
        let mut lines = addresses.lines().map(str::to_owned);
        let (url, admin) = (lines.next().unwrap(), lines.next().unwrap());
        Serving { child, log, url, admin, _redis: redis }
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Creates a database for this test. Returns its URL with a password, which the test server
/// ignores.
fn with_password(server: &str) -> Option<String> {
    let (user, rest) = server.strip_prefix("postgres://")?.split_once('@')?;
    let name = format!(
        "test_secrets_{}_{}",
        std::process::id(),
        hash(&format!("{:?}", Instant::now())).get(..8)?
    );
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let pool = sqlx::PgPool::connect(server).await.unwrap();
        sqlx::query(sqlx::AssertSqlSafe(format!("CREATE DATABASE {name}")))
            .execute(&pool)
            .await
            .unwrap();
    });
    let (address, options) = rest.split_once('?').unwrap_or((rest, ""));
    let (host, _) = address.rsplit_once('/')?;
    (!user.contains(':'))
        .then(|| format!("postgres://{user}:{DATABASE_PASSWORD}@{host}/{name}?{options}"))
}

fn hash(key: &str) -> String {
    let secret = key.splitn(3, '_').last().unwrap();
    Sha256::digest(secret).iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A running gateway.
pub(crate) struct Serving {
    child: Child,
    log: PathBuf,
    pub(crate) url: String,
    pub(crate) admin: String,
    _redis: Option<Redis>,
}

impl Serving {
    /// Stops the gateway and returns its whole log.
    pub(crate) fn stop(mut self) -> String {
        // The gateway serves until its standard input is closed.
        drop(self.child.stdin.take());
        assert!(self.child.wait().unwrap().success());
        fs::read_to_string(&self.log).unwrap()
    }
}

/// A Redis server that requires a password.
struct Redis {
    child: Child,
    port: u16,
}

impl Redis {
    fn start(folder: &std::path::Path) -> Option<Self> {
        let program =
            std::env::var("TEST_REDIS_SERVER").unwrap_or_else(|_| "redis-server".to_owned());
        let port = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let mut command = Command::new(program);
        command.arg("--port").arg(port.to_string()).args([
            "--save",
            "",
            "--requirepass",
            REDIS_PASSWORD,
            "--dir",
        ]);
        let Ok(child) = command.arg(folder).stdout(Stdio::null()).spawn() else {
            eprintln!("without Redis: there is no redis-server, and TEST_REDIS_SERVER names none");
            return None;
        };
        let deadline = Instant::now() + START_TIMEOUT;
        while std::net::TcpStream::connect(("127.0.0.1", port)).is_err() {
            assert!(Instant::now() < deadline, "it does not listen");
            std::thread::sleep(std::time::Duration::from_millis(20));
        }
        Some(Self { child, port })
    }
}

impl Drop for Redis {
    fn drop(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }
}

/// Returns the output of `--list`, and of `Debug` for the gateway.
pub(crate) fn listing(folder: &Folder) -> String {
    let output = folder.program("gateway::list").output().unwrap();
    assert!(output.status.success(), "{output:?}");
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

/// Returns the output of a gateway that cannot start with these settings.
pub(crate) fn ends(folder: &Folder, settings: &str) -> String {
    let base = "http = { listen = '127.0.0.1:0', workers = 1 }\n";
    let settings = if settings.starts_with("[secrets\n") {
        settings.to_owned()
    } else {
        let folder = if settings.contains("[credentials]") {
            format!("\nfolder = '{}'", folder.0.display())
        } else {
            String::new()
        };
        let secrets = if settings.contains("[secrets]") {
            ""
        } else {
            "\n[secrets]\nVENDOR_WEBHOOK_SECRET = 'planted'"
        };
        format!("{base}{settings}{folder}{secrets}")
    };
    folder.write("broken.toml", &settings);
    let mut program = folder.program("gateway::broken");
    let output = program
        .env_remove("GATEWAY__CREDENTIALS__PASSPHRASE")
        .env_remove("INTERNAL_GATEWAY_KEY")
        .output()
        .unwrap();
    assert!(!output.status.success(), "it starts with {settings}");
    // The test harness prints the name of the test only, nothing of the settings.
    String::from_utf8_lossy(&output.stdout).into_owned() + &String::from_utf8_lossy(&output.stderr)
}

fn folder() -> PathBuf {
    std::env::var_os(FOLDER).expect("only in a process of its own").into()
}

fn configured(file: &str, more: &[&str]) -> Result<Gateway, StartError> {
    let options = ["--config".into(), folder().join(file).into_os_string()];
    Gateway::from_arguments_over("", options.into_iter().chain(more.iter().map(Into::into)))
}

#[tokio::test]
#[ignore = "a process of its own"]
async fn serve() {
    let log = LogSettings { level: "trace".to_owned(), format: LogFormat::Json };
    let _log = telemetry::init(&log).unwrap();
    let gateway = configured("gateway.toml", &[]).unwrap();
    eprintln!("{gateway:?} {gateway:#?}");
    let running = gateway.start().await.unwrap();
    eprintln!("{running:?} {running:#?}");
    let admin = running.admin_address().unwrap();
    fs::write(folder().join("addresses"), format!("{}\nhttp://{admin}\n", running.url())).unwrap();
    tokio::task::spawn_blocking(|| std::io::stdin().read_to_end(&mut Vec::new()))
        .await
        .unwrap()
        .unwrap();
    running.stop().await.unwrap();
}

#[tokio::test]
#[ignore = "a process of its own"]
async fn list() {
    let gateway = configured("gateway.toml", &["--list"]).unwrap();
    eprintln!("{gateway:?}");
    gateway.serve().await.unwrap();
}

#[tokio::test]
#[ignore = "a process of its own"]
async fn broken() -> Result<(), StartError> {
    configured("broken.toml", &["--set", "log.level=trace"])?.start().await.map(drop)
}
