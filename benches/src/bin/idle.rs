//! The memory of an idle connection:
//! `cargo run --release -p gateway-benches --bin idle [connections]`.
//!
//! Starts the HTTP server in a process of its own, opens 2,000 keep-alive connections, sends one
//! request on each, and prints by how much the server's proportional set size
//! (`/proc/<pid>/smaps_rollup`) grew, for each connection. Linux only; needs `ulimit -n` above the
//! number of connections. Fails above the limit of 15 KiB.

use std::{
    env,
    error::Error,
    fs,
    io::{self, BufRead, BufReader, Read, Write},
    net::{SocketAddr, TcpStream},
    process::{Child, Command, ExitCode, Stdio},
    thread::sleep,
    time::Duration,
};

use gateway_runtime::http::{Body, HttpSettings, Peer, Server};
use http::{Request, Response};
use hyper::body::Incoming;

/// The maximum memory of one connection in KiB.
const ALLOWED: f64 = 15.0;

const REQUEST: &[u8] =
    b"GET / HTTP/1.1\r\nhost: localhost\r\nuser-agent: idle\r\naccept: */*\r\n\r\n";

fn main() -> Result<ExitCode, Box<dyn Error>> {
    match env::args().nth(1).as_deref() {
        Some("serve") => serve().map(|()| ExitCode::SUCCESS),
        Some(connections) => measure(connections.parse()?),
        None => measure(2000),
    }
}

/// Serves until standard input is closed: as long as the parent lives.
#[expect(clippy::print_stdout, reason = "the parent reads the address there")]
fn serve() -> Result<(), Box<dyn Error>> {
    let settings = HttpSettings {
        listen: ([127, 0, 0, 1], 0).into(),
        workers: 1.try_into().ok(),
        ..HttpSettings::default()
    };
    let server = Server::bind(&settings)?;
    println!("{}", server.local_addr());
    let hello = |_: Request<Incoming>, _: Peer| async { Response::new(Body::from("hello")) };
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // However serving ends, the measurement is over.
    let _ = runtime.block_on(async {
        let parent_ended = tokio::task::spawn_blocking(|| io::stdin().read(&mut [0]));
        server.serve(hello, async { drop(parent_ended.await) }).await
    })?;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "the figure is what this program is for")]
fn measure(connections: u32) -> Result<ExitCode, Box<dyn Error>> {
    let mut server = Command::new(env::current_exe()?)
        .arg("serve")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()?;
    let mut address = String::new();
    BufReader::new(server.stdout.take().ok_or("no output")?).read_line(&mut address)?;
    let address = address.trim().parse()?;

    used(address)?;
    let before = pss(&server)?;
    let idle = (0..connections).map(|_| used(address)).collect::<io::Result<Vec<_>>>()?;
    sleep(Duration::from_secs(1));
    let after = pss(&server)?;
    let each = (after - before) / f64::from(connections);
    println!(
        "{connections} idle connections, each used once: {before:.0} KiB -> {after:.0} KiB, \
         {each:.2} KiB each"
    );

    drop(idle);
    drop(server.stdin.take());
    server.wait()?;
    Ok(if each <= ALLOWED { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Opens a connection and sends one request on it.
fn used(address: SocketAddr) -> io::Result<TcpStream> {
    let mut connection = TcpStream::connect(address)?;
    connection.write_all(REQUEST)?;
    let mut answer = Vec::new();
    while !answer.ends_with(b"\r\n\r\nhello") {
        let mut piece = [0; 512];
        match connection.read(&mut piece)? {
            0 => return Err(io::ErrorKind::UnexpectedEof.into()),
            n => answer.extend_from_slice(&piece[..n]),
        }
    }
    Ok(connection)
}

/// Returns the proportional set size of a process in KiB.
fn pss(process: &Child) -> Result<f64, Box<dyn Error>> {
    let rollup = fs::read_to_string(format!("/proc/{}/smaps_rollup", process.id()))?;
    let line = rollup.lines().find(|line| line.starts_with("Pss:")).ok_or("no Pss line")?;
    Ok(line.split_whitespace().nth(1).ok_or("no figure")?.parse()?)
}
