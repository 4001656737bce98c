//! A gateway whose machine has no descriptors left for connections to instances.

use std::{
    io::{Read, Write},
    net::{TcpListener, TcpStream},
    process::Command,
};

use super::lamp::{Folder, PATIENCE, Serving};

fn ask(client: &mut TcpStream) -> String {
    client.write_all(b"GET /foo/x HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    // Each body of these answers ends so.
    while !answer.ends_with(b"ok") && !answer.ends_with(b"}") {
        let read = client.read(&mut piece).unwrap();
        assert!(read > 0, "{}", String::from_utf8_lossy(&answer));
        answer.extend_from_slice(&piece[..read]);
    }
    String::from_utf8(answer).unwrap()
}

fn limit_files(serving: &Serving, files: usize) {
    let limit = format!("--nofile={files}:");
    let set = Command::new("prlimit").args(["--pid", &serving.id().to_string(), &limit]).status();
    assert!(set.unwrap().success());
}

#[test]
fn a_machine_without_descriptors_ejects_no_instance() {
    let instance = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = instance.local_addr().unwrap();
    std::thread::spawn(move || {
        for stream in instance.incoming().map_while(Result::ok) {
            std::thread::spawn(move || {
                let mut stream = stream;
                while stream.read(&mut [0; 4096]).is_ok_and(|read| read > 0) {
                    let answer = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";
                    stream.write_all(answer).unwrap();
                }
            });
        }
    });
    let settings =
        format!("log.format = 'json'\n[upstreams.foo]\nurls = ['http://{address}']\nmax_idle = 0");
    let folder = Folder::new(&settings);
    let serving = folder.serve("", &[]);
    let lines = serving.lines();
    let mut client = TcpStream::connect(&serving.address).unwrap();
    client.set_read_timeout(Some(PATIENCE)).unwrap();
    assert!(ask(&mut client).starts_with("HTTP/1.1 200"));
    // Descriptors that are open stay so; no further one is opened.
    limit_files(&serving, 3);
    let answer = ask(&mut client);
    assert!(answer.starts_with("HTTP/1.1 503"), "{answer}");
    assert!(answer.contains("\"overloaded\""), "{answer}");
    let line = loop {
        let line = lines.recv_timeout(PATIENCE).unwrap();
        if line.contains("\"refused\"") {
            break line;
        }
    };
    assert!(line.contains("overloaded") && line.contains("os error 24"), "{line}");
    limit_files(&serving, 1024);
    assert!(ask(&mut client).starts_with("HTTP/1.1 200"));
}
