//! The log of a process, with and without a reader.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    sync::Arc,
    time::Instant,
};

use serde_json::{Value, json};

use super::lamp::{Folder, PATIENCE};

/// A number of calls that fills a pipe ten times over.
const CALLS: usize = 2_000;

#[test]
fn calls_and_shutdown_do_not_wait_for_a_log_that_nobody_reads() {
    let folder = Folder::new("log.format = 'json'");
    let serving = Arc::new(folder.serve("", &[]));
    let start = Instant::now();
    let callers: Vec<_> = (0..4)
        .map(|_| {
            let serving = Arc::clone(&serving);
            std::thread::spawn(move || {
                for _ in 0..CALLS / 4 {
                    assert_eq!(serving.get("/services/lamp/v1/look", "").0, 200);
                }
            })
        })
        .collect();
    callers.into_iter().for_each(|caller| caller.join().unwrap());
    let called = start.elapsed();
    serving.signal("TERM");
    let start = Instant::now();
    let status = Arc::into_inner(serving).unwrap().ended();
    assert!(status.success(), "{status}");
    assert!(start.elapsed() < PATIENCE / 2, "{:?}", start.elapsed());
    eprintln!("{CALLS} calls in {called:?}, the end in {:?}", start.elapsed());
}

#[test]
fn panic_is_a_json_line_and_a_call_carries_its_trace() {
    let folder = Folder::new("log.format = 'json'");
    let serving = folder.serve("", &[("RUST_BACKTRACE", "1")]);
    let lines = serving.lines();
    let trace = "0af7651916cd43dd8448eb211c80319c";
    let parent = format!("traceparent: 00-{trace}-b7ad6b7169203331-01\r\n");
    assert_eq!(serving.get("/services/lamp/v1/look", &parent).0, 200);
    assert_eq!(
        serving.get("/services/lamp/v1/look", &parent.replace(trace, &"0".repeat(32))).0,
        200
    );
    assert_eq!(serving.get("/services/lamp/v1/smash", "").0, 500);
    serving.signal("TERM");
    assert!(serving.ended().success());
    let lines: Vec<String> = lines.iter().collect();
    let lines: Vec<Value> = lines
        .iter()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|_| panic!("no JSON: {line}")))
        .collect();
    let of =
        |target: &str| lines.iter().filter(|line| line["target"] == target).collect::<Vec<_>>();
    let calls = of("gateway::request");
    assert_eq!(calls.len(), 3);
    assert_eq!((&calls[0]["trace_id"], calls[1].get("trace_id")), (&json!(trace), None));
    let panics = of("gateway::panic");
    assert_eq!(panics.len(), 1, "{lines:?}");
    assert_eq!(panics[0]["message"], "panicked: smashed to\u{2028}pieces");
    assert!(panics[0]["location"].as_str().unwrap().contains("lamp.rs:"), "{}", panics[0]);
    assert!(panics[0]["backtrace"].is_string(), "{}", panics[0]);
}

#[test]
fn start_line_has_address_documents_and_counts() {
    let folder = Folder::new("log.format = 'json'");
    let serving = folder.serve("", &[]);
    let line: Value = serde_json::from_str(&serving.start).unwrap();
    let url = format!("http://{}", serving.address);
    assert_eq!(
        (&line["address"], &line["docs"], &line["meta"]),
        (&json!(url), &json!(format!("{url}/docs")), &json!(format!("{url}/meta")))
    );
    let meta: Value = serde_json::from_str(&serving.get("/meta", "").1).unwrap();
    let services = meta["services"].as_array().unwrap();
    let methods: usize =
        services.iter().map(|service| service["methods"].as_array().unwrap().len()).sum();
    assert_eq!((&line["services"], &line["methods"]), (&json!(services.len()), &json!(methods)));
}

#[test]
fn line_of_a_refused_request_names_its_method_and_path() {
    let folder = Folder::new("log.format = 'json'");
    let serving = folder.serve("", &[]);
    let lines = serving.lines();
    assert_eq!(serving.get("/nowhere/at/all", "").0, 404);
    let line = loop {
        let line = lines.recv_timeout(PATIENCE).expect("the request has no line");
        if line.contains("\"refused\"") {
            break serde_json::from_str::<Value>(&line).unwrap();
        }
    };
    let named = (&line["http.request.method"], &line["url.path"]);
    assert_eq!(named, (&json!("GET"), &json!("/nowhere/at/all")), "{line}");
}

#[test]
fn line_of_a_forwarded_request_tells_who_ended_it() {
    let instance = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = instance.local_addr().unwrap();
    let settings = format!("log.format = 'json'\n[upstreams.foo]\nurls = ['http://{address}']");
    let folder = Folder::new(&settings);
    let serving = folder.serve("", &[]);
    let lines = serving.lines();
    let head = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\n";
    for (body, leaves, status, end, bytes) in [
        ("abcd", false, 200, "whole", 4),
        ("ab", false, 502, "upstream", 2),
        ("ab", true, 499, "client", 2),
    ] {
        let mut client = TcpStream::connect(&serving.address).unwrap();
        client
            .write_all(b"POST /foo/x HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nhey")
            .unwrap();
        let (mut connection, _) = instance.accept().unwrap();
        let mut request = Vec::new();
        while !request.ends_with(b"hey") {
            let mut byte = [0];
            connection.read_exact(&mut byte).unwrap();
            request.push(byte[0]);
        }
        connection.write_all(format!("{head}{body}").as_bytes()).unwrap();
        let mut answer = Vec::new();
        while !answer.ends_with(body.as_bytes()) {
            let mut byte = [0];
            client.read_exact(&mut byte).unwrap();
            answer.push(byte[0]);
        }
        // One of the two ends its connection, and the other one stays.
        let _stays: (Option<TcpStream>, Option<TcpStream>) = match leaves {
            true => (Some(connection), {
                drop(client);
                None
            }),
            false => (
                {
                    drop(connection);
                    None
                },
                Some(client),
            ),
        };
        let line = loop {
            let line = lines.recv_timeout(PATIENCE).expect("the request has no line");
            if line.contains("\"routed\"") {
                break serde_json::from_str::<Value>(&line).unwrap();
            }
        };
        let told = (&line["status"], &line["end"], &line["response_bytes"], &line["request_bytes"]);
        assert_eq!(told, (&json!(status), &json!(end), &json!(bytes), &json!(3)), "{line}");
    }
}
