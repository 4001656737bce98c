//! Requests whose client leaves before their end.

use tokio::io::AsyncWriteExt;

use super::{super::gateway::Client, Bench, TIMEOUT, latin1, post};

#[tokio::test]
async fn an_unfinished_request_is_unfinished_for_the_instance() {
    let bench = Bench::start("").await;
    for request in [
        "GET /foo/x HTTP/1.1\r\nHost: a\r\n".to_owned(),
        "GET /foo/x HTTP/1.1\r\nHost: a\r\nX: a".to_owned(),
        post("Content-Length: 5\r\n\r\n"),
        post("Content-Length: 5\r\n\r\nhell"),
        post("Content-Length: 9223372036854775807\r\n\r\nhello"),
        post("Content-Length: 9223372036854775808\r\n\r\nhello"),
        post("Transfer-Encoding: chunked\r\n\r\n"),
        post("Transfer-Encoding: chunked\r\n\r\n5"),
        post("Transfer-Encoding: chunked\r\n\r\n5\r\nhel"),
        post("Transfer-Encoding: chunked\r\n\r\n5\r\nhello"),
        post("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n"),
        post("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0"),
        post("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n"),
        post("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r"),
        post("Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\nX: a\r\n"),
        post("Transfer-Encoding: chunked\r\n\r\n100000005\r\nhello\r\n0\r\n\r\n"),
        post("Transfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nhello\r\n0\r\n\r\n"),
        "POST /foo/x HTTP/1.0\r\nHost: a\r\nContent-Length: 5\r\n\r\nhell".to_owned(),
    ] {
        for leaves in [true, false] {
            let mut client = Client::to(&bench.gateway).await;
            client.send(latin1(&request)).await;
            if leaves {
                drop(client);
            } else {
                client.0.shutdown().await.unwrap();
                let (answer, _) = client.read_all().await;
                let is_refused = answer.0.is_empty()
                    || answer.status() == 400 && answer.header("connection") == Some("close");
                assert!(is_refused, "{request:?} {answer:?}");
            }
            let seen = bench.recorder.take(true, TIMEOUT).await;
            assert!(seen.requests.is_empty() && !seen.is_open, "{request:?} {leaves} {seen:?}");
        }
    }
    bench.stop().await;
}
