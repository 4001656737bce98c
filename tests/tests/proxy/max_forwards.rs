//! `Max-Forwards` of TRACE and OPTIONS (RFC 9110 §7.6.2).

use super::{
    gateway::{exchange, start},
    stub::{End, Stub},
};

const OK: &str = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok";

#[tokio::test]
async fn zero_is_the_gateways_to_answer_and_others_are_counted_down() {
    let stub = Stub::start(OK, End::Open).await;
    let gateway = start(&[stub.address], "").await;
    let ask = async |method: &str, fields: &str| {
        let head = format!("{method} /foo/x HTTP/1.1\r\nHost: a\r\nConnection: close\r\n");
        exchange(&gateway, &format!("{head}{fields}\r\n")).await.0
    };
    let answer = ask("OPTIONS", "Max-Forwards: 0\r\n").await;
    assert_eq!(answer.status(), 204, "{answer:?}");
    assert!(answer.header("allow").unwrap().contains("OPTIONS"), "{answer:?}");
    let secrets = "Authorization: Basic secret\r\nCookie: secret\r\nX-Api-Key: secret\r\n";
    let answer = ask("TRACE", &format!("X-Mine: 7\r\n{secrets}Max-Forwards: 0\r\n")).await;
    assert_eq!((answer.status(), answer.header("content-type")), (200, Some("message/http")));
    let reflected = String::from_utf8_lossy(answer.body());
    assert!(reflected.starts_with("TRACE /foo/x HTTP/1.1\r\n"), "{reflected}");
    assert!(reflected.contains("x-mine: 7\r\n") && !reflected.contains("secret"), "{reflected}");
    for wrong in ["-1", "x", "1, 2", "", "99999999999999999999", "1\r\nMax-Forwards: 2"] {
        let answer = ask("OPTIONS", &format!("Max-Forwards: {wrong}\r\n")).await;
        assert_eq!(answer.status(), 400, "{wrong}");
    }
    assert!(stub.seen().is_empty(), "{:?}", stub.seen());

    for (method, sent, received) in
        [("OPTIONS", "1", "0"), ("TRACE", "10", "9"), ("GET", "0", "0"), ("GET", "x", "x")]
    {
        let answer = ask(method, &format!("Max-Forwards: {sent}\r\n")).await;
        assert_eq!(answer.status(), 200, "{method} {sent}");
        let seen = stub.seen().pop().unwrap();
        assert!(seen.contains(&format!("\r\nmax-forwards: {received}\r\n")), "{seen}");
    }
    gateway.stop().await.unwrap();
}
