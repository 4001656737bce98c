//! Tests of `read`.

use futures_util::stream;
use http_body_util::Full;
use proptest::prelude::*;

use super::*;
use crate::base::body::Body;

const MAX_WAIT: Duration = Duration::from_secs(30);

fn chunks(chunks: Vec<Vec<u8>>) -> Body {
    Body::stream(stream::iter(chunks.into_iter().map(|chunk| Ok::<_, BoxError>(chunk.into()))))
}

#[tokio::test]
async fn a_body_in_one_piece_is_not_copied() {
    let sent = Bytes::from(vec![b'x'; 1000]);
    let read = read_body(Full::new(sent.clone()), 1000, MAX_WAIT).await.unwrap();
    assert_eq!(read.as_ptr(), sent.as_ptr());
    assert!(matches!(
        read_body(Full::new(sent), 999, MAX_WAIT).await,
        Err(BodyError::TooLarge(999))
    ));
}

#[tokio::test(start_paused = true)]
async fn timeout_covers_the_whole_body() {
    let drip = stream::unfold((), |()| async {
        sleep(Duration::from_secs(9)).await;
        Some((Ok::<_, BoxError>(Bytes::from_static(b"x")), ()))
    });
    let begun = tokio::time::Instant::now();
    let error = read_body(Body::stream(drip), 1000, MAX_WAIT).await.unwrap_err();
    assert!(matches!(error, BodyError::Timeout(limit) if limit == MAX_WAIT), "{error}");
    assert_eq!(begun.elapsed().as_secs(), 30);
}

#[tokio::test]
async fn incomplete_body_reports_the_cause() {
    let broken = Body::stream(stream::iter([Ok(Bytes::from_static(b"x")), Err("line cut")]));
    let error = read_body(broken, 10, MAX_WAIT).await.unwrap_err();
    assert_eq!(error.to_string(), "the request body broke off: line cut");
}

proptest! {
    #[test]
    fn chunks_are_joined_in_order_up_to_the_limit(pieces: Vec<Vec<u8>>, limit in 0usize..300) {
        let whole = pieces.concat();
        let read = read_body(chunks(pieces), limit, MAX_WAIT);
        match tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(read) {
            Ok(bytes) => prop_assert!(bytes == whole && whole.len() <= limit),
            Err(BodyError::TooLarge(reported)) => {
                prop_assert!(reported == limit && whole.len() > limit)
            }
            Err(other) => prop_assert!(false, "{other}"),
        }
    }
}
