//! Streams: item by item, with an unmistakable end.

use futures_util::{StreamExt, TryStreamExt};
use gateway_runtime::client::{ClientError, Http};

use super::{
    lab::{Failing, Lab, gateway},
    scripted::Scripted,
};

fn failing(how: &str) -> Failing {
    Failing { how: how.to_owned() }
}

#[tokio::test]
async fn items_come_one_by_one_to_a_clean_end() {
    let (_gateway, lab) = gateway().await;
    let numbers: Vec<u32> = lab.numbers(&failing("")).await.unwrap().try_collect().await.unwrap();
    assert_eq!(numbers, [1, 2, 3]);
}

#[tokio::test]
async fn a_failure_after_the_first_items_is_the_services_problem() {
    let (_gateway, lab) = gateway().await;
    let mut numbers = lab.numbers(&failing("break")).await.unwrap();
    for number in [1, 2, 3] {
        assert_eq!(numbers.next().await.unwrap().unwrap(), number);
    }
    let error = numbers.next().await.unwrap().unwrap_err();
    let problem = error.problem().unwrap_or_else(|| panic!("{error:?}"));
    assert_eq!((problem.code.as_str(), problem.detail.as_str()), ("sold-out", "no more numbers"));
    assert!(numbers.next().await.is_none(), "after an error nothing comes");
}

const LINES: &str =
    "HTTP/1.1 200 OK\r\nContent-Type: application/x-ndjson\r\nTransfer-Encoding: chunked\r\n\r\n";

#[tokio::test]
async fn a_cut_stream_does_not_end_cleanly() {
    let server = Scripted::answering(&format!("{LINES}4\r\n1\n2\n\r\n")).await;
    let mut numbers = Lab::client(Http::to(server.url())).numbers(&failing("")).await.unwrap();
    assert_eq!(numbers.next().await.unwrap().unwrap(), 1);
    assert_eq!(numbers.next().await.unwrap().unwrap(), 2);
    let error = numbers.next().await.unwrap().unwrap_err();
    assert!(matches!(error, ClientError::Ambiguous(_)), "{error:?}");
    assert!(numbers.next().await.is_none());
}

#[tokio::test]
async fn an_item_of_another_type_ends_the_stream() {
    let server = Scripted::answering(&format!("{LINES}8\r\n1\n\"x\"\n3\n\r\n0\r\n\r\n")).await;
    let mut numbers = Lab::client(Http::to(server.url())).numbers(&failing("")).await.unwrap();
    assert_eq!(numbers.next().await.unwrap().unwrap(), 1);
    assert!(matches!(numbers.next().await.unwrap(), Err(ClientError::InvalidResponse { .. })));
    assert!(numbers.next().await.is_none());
}

#[tokio::test]
async fn bytes_come_with_their_media_type_and_are_whole() {
    let (_gateway, lab) = gateway().await;
    let table = lab.table(&failing("")).await.unwrap();
    assert_eq!(table.media_type(), "text/csv; charset=utf-8");
    assert_eq!(table.bytes().await.unwrap(), "a,b\n1,2\n");
    let cut = lab.table(&failing("break")).await.unwrap().bytes().await.unwrap_err();
    assert!(matches!(cut, ClientError::Ambiguous(_)), "{cut:?}");
}
