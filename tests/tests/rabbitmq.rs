//! RabbitMQ for tests that make it unavailable: a server of the test's own, started by
//! `tools/rabbitmq`. Tests that only need a server use that of all tests, which `TEST_AMQP_URL`
//! names, as `./test` does.

use std::{
    io::{Read, Write},
    net::TcpStream,
    path::{Path, PathBuf},
    process::Command,
    time::Duration,
};

/// A server of a test's own, on free ports.
pub(crate) struct Server {
    folder: PathBuf,
    url: String,
}

impl Server {
    /// Starts a server; prints a line and returns `None` if RabbitMQ is not installed.
    pub(crate) fn start() -> Option<Self> {
        if !Path::new("/usr/lib/rabbitmq/bin/rabbitmq-server").exists() {
            eprintln!("not run: there is no rabbitmq-server");
            return None;
        }
        let folder =
            std::env::temp_dir().join(format!("gateway-rabbitmq-{:08x}", fastrand::u32(..)));
        let url = tool("start", &folder, &[]).trim().to_owned();
        Some(Self { folder, url })
    }

    /// Returns the URL, which is valid also while the server is unavailable.
    pub(crate) fn url(&self) -> &str {
        &self.url
    }

    /// Stops the server in order.
    pub(crate) fn stop(&self) {
        tool("stop", &self.folder, &[]);
    }

    /// Kills the server. Its latest declarations may not have been written yet: RabbitMQ 3.10 takes
    /// minutes for the names of its quorum queues, and then finds some that it does not know.
    pub(crate) fn kill(&self) {
        self.ctl(&["eval", "[dets:sync(Table) || Table <- dets:all()], mnesia:sync_log()."]);
        tool("kill", &self.folder, &[]);
    }

    /// Starts the server again at the same address, with its data.
    pub(crate) fn start_again(&self) {
        assert_eq!(tool("start", &self.folder, &[]).trim(), self.url);
    }

    /// Freezes the server: it still accepts connections and bytes, and does nothing.
    pub(crate) fn freeze(&self) {
        tool("freeze", &self.folder, &[]);
    }

    pub(crate) fn thaw(&self) {
        tool("thaw", &self.folder, &[]);
    }

    /// Returns the output of `rabbitmqctl`.
    pub(crate) fn ctl(&self, words: &[&str]) -> String {
        tool("ctl", &self.folder, words)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        // The folder is deleted, so a kill loses nothing. A failed test must not fail again here.
        let _ = command("kill", &self.folder).output();
        let _ = std::fs::remove_dir_all(&self.folder);
    }
}

fn tool(what: &str, folder: &Path, words: &[&str]) -> String {
    let output = command(what, folder).args(words).output().unwrap();
    assert!(
        output.status.success(),
        "{what} {words:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8(output.stdout).unwrap()
}

fn command(what: &str, folder: &Path) -> Command {
    let mut command = Command::new(concat!(env!("CARGO_MANIFEST_DIR"), "/tools/rabbitmq"));
    command.arg(what).arg(folder);
    command
}

#[test]
fn server_of_a_test_can_be_stopped_killed_and_frozen() {
    let Some(server) = Server::start() else { return };
    assert!(speaks(server.url()));
    server.ctl(&["add_vhost", "kept"]);

    server.freeze();
    assert!(!speaks(server.url()), "it accepts, and says nothing");
    server.thaw();
    assert!(speaks(server.url()));

    for (what, end) in [("kill", Server::kill as fn(&Server)), ("stop", Server::stop)] {
        end(&server);
        assert!(TcpStream::connect(address(server.url())).is_err(), "{what}");
        server.start_again();
        assert!(speaks(server.url()), "{what}");
        assert!(server.ctl(&["list_vhosts"]).lines().any(|name| name == "kept"), "{what}");
    }

    server.freeze();
    let (folder, address) = (server.folder.clone(), address(server.url()).to_owned());
    drop(server);
    assert!(TcpStream::connect(address).is_err() && !folder.exists());
}

/// Returns whether a server at this URL begins a conversation in AMQP 0-9-1.
fn speaks(url: &str) -> bool {
    let mut connection = TcpStream::connect(address(url)).unwrap();
    connection.set_read_timeout(Some(Duration::from_secs(2))).unwrap();
    connection.write_all(b"AMQP\x00\x00\x09\x01").unwrap();
    // A method frame on channel 0.
    let mut begin = [0; 3];
    connection.read_exact(&mut begin).is_ok_and(|()| begin == [1, 0, 0])
}

fn address(url: &str) -> &str {
    url.split(['@', '/']).nth(3).unwrap()
}
