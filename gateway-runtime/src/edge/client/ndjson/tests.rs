//! Tests of lines cut anywhere, and of every end of a stream.

use futures_util::{FutureExt, StreamExt, stream};
use proptest::{collection::vec, prelude::*};

use super::*;

const PROBLEM: &str =
    r#"{"error":{"code":"provider-failed","status":502,"detail":"x","retryable":true}}"#;

fn cut() -> ClientError {
    ClientError::Ambiguous("cut".to_owned())
}

/// Returns the lines of `text` cut at `cuts`, and the error at the end.
fn read(
    text: &str,
    cuts: &[usize],
    end: Option<ClientError>,
) -> (Vec<String>, Option<ClientError>) {
    let mut cuts: Vec<usize> =
        cuts.iter().map(|cut| cut % (text.len() + 1)).chain([0, text.len()]).collect();
    cuts.sort_unstable();
    let pieces: Vec<_> = cuts
        .windows(2)
        .map(|cut| Ok(Bytes::copy_from_slice(&text.as_bytes()[cut[0]..cut[1]])))
        .collect();
    let mut lines =
        NdjsonDecoder::new(Box::pin(stream::iter(pieces).chain(stream::iter(end.map(Err)))));
    let (mut read, mut error) = (Vec::new(), None);
    while let Some(line) = lines.next().now_or_never().expect("nothing is waited for") {
        assert_eq!(error, None, "something came after the error");
        match line {
            Ok(line) => read.push(String::from_utf8(line.to_vec()).unwrap()),
            Err(why) => error = Some(why),
        }
    }
    (read, error)
}

proptest! {
    #[test]
    fn lines_are_the_same_wherever_they_are_cut(
        items in vec(
            prop_oneof!["[^\n]*[^\\s]", Just(PROBLEM.to_owned()), Just(String::new())],
            0..6,
        ),
        cuts in vec(any::<usize>(), 0..6),
        last_line_ends: bool,
    ) {
        let text = items.join("\n") + if last_line_ends { "\n" } else { "" };
        let expected = items.into_iter().filter(|item| !item.trim_ascii().is_empty());
        prop_assert_eq!(read(&text, &cuts, None), (expected.collect::<Vec<_>>(), None));
    }
}

#[test]
fn cut_is_an_error_after_all_complete_lines() {
    assert_eq!(
        read("1\n2\n", &[], Some(cut())),
        (vec!["1".to_owned(), "2".to_owned()], Some(cut()))
    );
    assert_eq!(
        read("1\n2", &[], Some(cut())),
        (vec!["1".to_owned()], Some(cut())),
        "half an item is none"
    );
    assert_eq!(read("", &[], Some(cut())), (vec![], Some(cut())));
}

#[test]
fn the_last_line_before_a_cut_is_the_problem() {
    let (lines, error) = read(&format!("1\n{PROBLEM}\n\n"), &[3, 9], Some(cut()));
    assert_eq!(lines, ["1"]);
    let error = error.unwrap();
    assert_eq!((error.code(), error.is_retryable()), (Some("provider-failed"), true));
    // In any other place it is an item.
    let text = format!("{PROBLEM}\n1\n");
    assert_eq!(
        read(&text, &[], Some(cut())),
        (vec![PROBLEM.to_owned(), "1".to_owned()], Some(cut()))
    );
}

#[test]
fn item_is_returned_without_waiting_for_the_next() {
    let pieces = stream::iter([Ok(Bytes::from_static(b"1\n2\n"))]).chain(stream::pending());
    let mut lines = NdjsonDecoder::new(Box::pin(pieces));
    assert_eq!(lines.next().now_or_never().unwrap().unwrap().unwrap(), "1");
    assert_eq!(lines.next().now_or_never().unwrap().unwrap().unwrap(), "2");
    assert!(lines.next().now_or_never().is_none());
}

#[test]
fn line_over_the_maximum_is_an_error() {
    let piece = Bytes::from(vec![b'1'; 1 << 20]);
    let mut lines = NdjsonDecoder::new(Box::pin(stream::repeat_with(move || Ok(piece.clone()))));
    let error = lines.next().now_or_never().unwrap().unwrap().unwrap_err();
    assert!(matches!(error, ClientError::InvalidResponse { .. }), "{error}");
    assert!(lines.next().now_or_never().unwrap().is_none());
}
