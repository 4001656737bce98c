//! Ends of a message that are no clean ends: what is cut on one side is cut on the other.

use std::time::Duration;

use bytes::Bytes;
use http::Method;
use http_body_util::BodyExt;
use tokio::time::{sleep, timeout};

use super::{
    PRIOR_KNOWLEDGE,
    frames::{
        self, CANCEL, FrameStub, INTERNAL_ERROR, NO_ERROR, REFUSED_STREAM, Step, data, go_away,
        head, ok, reset, whole,
    },
};
use crate::proxy::{
    failures::{GET, POST, code},
    gateway::{Client, exchange, start},
    http2::{ask, client, full},
    stub::{End, Stub},
};

/// Polls until a condition holds.
pub(super) async fn until(mut holds: impl FnMut() -> bool) {
    let poll = async {
        while !holds() {
            sleep(Duration::from_millis(5)).await;
        }
    };
    timeout(Duration::from_secs(10), poll).await.expect("the condition to hold in time");
}

#[tokio::test]
async fn a_cut_answer_is_cut_for_the_client_on_either_protocol() {
    type Cut = fn(u32) -> Step;
    let cuts: [(&str, Cut); 10] = [
        ("reset", |id| {
            Step::Answer([ok(id, "9"), data(id, "half", false), reset(id, INTERNAL_ERROR)].concat())
        }),
        ("reset without a length", |id| {
            let head = head(id, &[(":status", "200")], false);
            Step::Answer([head, data(id, "half", false), reset(id, INTERNAL_ERROR)].concat())
        }),
        ("NO_ERROR", |id| {
            let head = head(id, &[(":status", "200")], false);
            Step::Answer([head, data(id, "half", false), reset(id, NO_ERROR)].concat())
        }),
        ("CANCEL", |id| {
            let head = head(id, &[(":status", "200")], false);
            Step::Answer([head, data(id, "half", false), reset(id, CANCEL)].concat())
        }),
        ("refused late", |id| {
            let head = head(id, &[(":status", "200")], false);
            Step::Answer([head, data(id, "half", false), reset(id, REFUSED_STREAM)].concat())
        }),
        ("too short", |id| Step::Answer([ok(id, "9"), data(id, "half", true)].concat())),
        ("too short before trailers", |id| {
            Step::Answer(
                [ok(id, "9"), data(id, "half", false), head(id, &[("x", "y")], true)].concat(),
            )
        }),
        ("too long", |id| Step::Answer([ok(id, "2"), data(id, "half", true)].concat())),
        ("closed", |id| {
            let head = head(id, &[(":status", "200")], false);
            Step::Close([head, data(id, "half", false)].concat())
        }),
        ("go away and closed", |id| {
            let head = head(id, &[(":status", "200")], false);
            Step::Close([head, data(id, "half", false), go_away(id, NO_ERROR)].concat())
        }),
    ];
    for (what, cut) in cuts {
        let stub = FrameStub::start(move |one| cut(one.stream)).await;
        let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
        let (answer, _) = exchange(&gateway, GET).await;
        let body = String::from_utf8_lossy(answer.body()).into_owned();
        // The head and the fault may have arrived together.
        let length = answer.header("content-length").map(|length| length.parse().unwrap());
        let is_cut =
            !body.ends_with("0\r\n\r\n") && length.is_none_or(|length| body.len() < length);
        assert!(answer.status() == 502 || is_cut, "{what}: {answer:?}");
        let mut sender = client(&gateway).await;
        let response = ask(&mut sender, Method::GET, &[], full(b"")).await;
        if response.status() == 200 {
            let error = response.into_body().collect().await.expect_err(what);
            let reason = format!("{error:?}");
            assert!(reason.contains("INTERNAL_ERROR"), "{what}: {reason}");
        }
        assert_eq!(stub.requests(), 2, "{what}: each asked once");
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn a_whole_answer_survives_what_comes_after_it() {
    type After = fn(u32) -> Step;
    let afters: [After; 5] = [
        |id| Step::Answer([whole(id), reset(id, NO_ERROR)].concat()),
        |id| Step::Answer([ok(id, "2"), data(id, "ok", false), reset(id, NO_ERROR)].concat()),
        |id| Step::Close([whole(id), go_away(id, NO_ERROR)].concat()),
        |id| Step::Close(whole(id)),
        |id| Step::Close([ok(id, "2"), data(id, "ok", false)].concat()),
    ];
    for after in afters {
        let stub = FrameStub::start(move |one| after(one.stream)).await;
        let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
        let (answer, was_reset) = exchange(&gateway, GET).await;
        assert_eq!((answer.status(), answer.body(), was_reset), (200, &b"ok"[..], false));
        let mut sender = client(&gateway).await;
        let response = ask(&mut sender, Method::GET, &[], full(b"")).await;
        assert_eq!(response.into_body().collect().await.unwrap().to_bytes(), "ok");
        assert_eq!(stub.requests(), 2);
        gateway.stop().await.unwrap();
    }
}

#[tokio::test]
async fn an_early_answer_ends_an_upload_that_has_not_ended() {
    let stub = FrameStub::start(|one| {
        Step::Answer([whole(one.stream), reset(one.stream, NO_ERROR)].concat())
    })
    .await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    let mut client = Client::to(&gateway).await;
    client.send("POST /foo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf").await;
    assert_eq!(client.read_to("ok").await.status(), 200);
    gateway.stop().await.unwrap();
}

#[tokio::test]
async fn ends_before_a_head_are_502_and_asked_once() {
    for step in [
        (|id| Step::Answer(reset(id, INTERNAL_ERROR))) as fn(u32) -> Step,
        |id| Step::Answer(reset(id, NO_ERROR)),
        |id| Step::Answer(reset(id, CANCEL)),
        |id| Step::Close(go_away(id, NO_ERROR)),
        |_| Step::Close(Vec::new()),
        |_| Step::Close(frames::frame(0xf0, 0, 0, b"x")),
        // A frame of DATA before the head ends the connection.
        |id| Step::Answer(data(id, "x", true)),
    ] {
        for request in [GET, POST] {
            let stub = FrameStub::start(move |one| step(one.stream)).await;
            let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
            let (answer, _) = exchange(&gateway, request).await;
            assert_eq!((answer.status(), &*code(&answer)), (502, "upstream-failed"));
            assert_eq!(stub.requests(), 1);
            gateway.stop().await.unwrap();
        }
    }
}

#[tokio::test]
async fn a_cut_request_is_reset_and_never_ended() {
    let stub = FrameStub::start(|_| Step::Answer(Vec::new())).await;
    let gateway = start(&[stub.address], PRIOR_KNOWLEDGE).await;
    for request in [
        "POST /foo HTTP/1.1\r\nHost: a\r\nContent-Length: 9\r\n\r\nhalf",
        "POST /foo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\n",
        "POST /foo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nhalf\r\nxyz\r\n",
    ] {
        let before = stub.received(|received| received.resets.len());
        let requests = stub.requests();
        let mut client = Client::to(&gateway).await;
        client.send(request).await;
        until(|| stub.requests() == requests + 1).await;
        drop(client);
        until(|| stub.received(|received| received.resets.len() == before + 1)).await;
    }
    stub.received(|received| {
        assert!(received.resets.iter().all(|&(_, code)| code == CANCEL), "{received:?}");
        assert!(received.ended.is_empty(), "{received:?}");
    });
    gateway.stop().await.unwrap();
}

/// A client over HTTP/2 that resets its stream has not ended its request, whatever the code: the
/// instance must not take the part for a whole one.
#[tokio::test]
async fn a_request_that_a_client_over_http2_resets_is_cut_for_the_instance() {
    for reason in [h2::Reason::NO_ERROR, h2::Reason::CANCEL, h2::Reason::INTERNAL_ERROR] {
        let http1 = Stub::start("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", End::Open).await;
        let http2 = FrameStub::start(|_| Step::Answer(Vec::new())).await;
        for (address, more) in [(http1.address, ""), (http2.address, PRIOR_KNOWLEDGE)] {
            let gateway = start(&[address], more).await;
            let socket = tokio::net::TcpStream::connect(gateway.address()).await.unwrap();
            let (mut sender, connection) = h2::client::handshake(socket).await.unwrap();
            tokio::spawn(connection);
            let request = http::Request::post("http://a/foo").body(()).unwrap();
            let (response, mut stream) = sender.send_request(request, false).unwrap();
            stream.send_data(Bytes::from_static(b"half"), false).unwrap();
            // The part has been forwarded when the client resets the stream.
            sleep(Duration::from_millis(100)).await;
            stream.send_reset(reason);
            assert!(response.await.is_err());
            sleep(Duration::from_millis(100)).await;
            gateway.stop().await.unwrap();
        }
        assert_eq!(http1.seen(), <[String; 0]>::default(), "{reason:?}");
        http2.received(|received| {
            assert_eq!((received.data, &*received.ended), (4, &[][..]), "{reason:?} {received:?}");
        });
    }
}
