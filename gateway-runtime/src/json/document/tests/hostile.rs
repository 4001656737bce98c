//! Bounds on the parser's time and memory for hostile texts.

use std::time::{Duration, Instant};

use crate::json::document::tests::{Document, ElementKind, look_up, parse};

/// Time limit of a test. It is generous, for an unoptimised build on a busy machine; the costs that
/// it detects take minutes or forever.
const LIMIT: Duration = Duration::from_secs(5);

#[track_caller]
fn in_time<T>(work: impl FnOnce() -> T) -> T {
    let started = Instant::now();
    let done = work();
    assert!(started.elapsed() < LIMIT, "took {:?}", started.elapsed());
    done
}

fn members(document: &Document) -> usize {
    let ElementKind::Object(object) = document.root().kind() else { panic!("no object") };
    object.len()
}

#[test]
fn one_name_a_hundred_thousand_times() {
    let text = format!("{{{}\"a\":1}}", "\"a\":0,".repeat(100_000));
    let document = in_time(|| parse(&text).unwrap());
    assert_eq!(document.to_value().to_string(), r#"{"a":1}"#);
}

#[test]
fn one_name_twice_at_each_depth() {
    let mut text = format!("[{}0]", "0,".repeat(50_000));
    for _ in 0..126 {
        text = format!("{{\"a\":0,\"a\":{text}}}");
    }
    let document = in_time(|| parse(&text).unwrap());
    in_time(|| look_up(document.root()));
}

#[test]
fn an_object_of_a_megabyte() {
    for count in [100_000_u32, 16, 17] {
        let name = "n".repeat(1_000_000 / count as usize);
        let list: Vec<String> = (0..count).map(|n| format!("\"{name}{n}\":{n}")).collect();
        let text = format!("{{{}}}", list.join(","));
        let document = in_time(|| parse(&text).unwrap());
        assert_eq!(members(&document), count as usize);
        in_time(|| look_up(document.root()));
    }
}

#[test]
fn small_objects_of_names_that_look_alike() {
    let names: Vec<String> = (0..16).map(|n| format!("\"a{n:02}z\":0")).collect();
    let object = format!("{{{}}}", names.join(","));
    let text = format!("[{}0]", format!("{object},").repeat(5_000));
    in_time(|| parse(&text).unwrap());
}

#[test]
fn a_great_many_escapes() {
    let short = format!("[{}0]", "\"\\n\",".repeat(200_000));
    in_time(|| parse(&short).unwrap());
    let long = format!("\"{}\"", "\\u0041".repeat(200_000));
    assert_eq!(in_time(|| parse(&long).unwrap()).to_value(), "A".repeat(200_000));
}

#[test]
fn a_megabyte_of_brackets() {
    for open in ["[", "{\"a\":", "[{\"a\":"] {
        let text = open.repeat(1 << 20);
        let error = in_time(|| parse(&text).unwrap_err());
        assert!(error.to_string().starts_with("recursion limit exceeded"), "{error}");
    }
}

#[test]
fn a_megabyte_of_digits() {
    for text in [
        "1".repeat(1 << 20),
        format!("0.{}", "3".repeat(1 << 20)),
        format!("1e{}", "9".repeat(1 << 20)),
    ] {
        let _ = in_time(|| parse(&text));
    }
    let text = format!("[{}0]", format!("1.{},", "7".repeat(800)).repeat(1_000));
    in_time(|| parse(&text).unwrap());
}

#[test]
fn a_document_takes_little_more_than_its_text() {
    let text = format!("[{}\"{}\"]", "\"x\\ny\",".repeat(50_000), "z".repeat(500_000));
    let document = parse(&text).unwrap();
    assert!(document.unescaped.len() == 150_000, "{}", document.unescaped.len());
    assert!(document.unescaped.capacity() <= text.len() + 8);
}
