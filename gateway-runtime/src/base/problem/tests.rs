//! Tests of `problem`.

use super::*;

fn read(error: &Error) -> (Response<()>, Value) {
    let (parts, body) = respond(error, "/services/a/v1/b", &id()).into_parts();
    (Response::from_parts(parts, ()), serde_json::from_slice(&body).unwrap())
}

fn id() -> RequestId {
    RequestId::from_header(&HeaderValue::from_static("id-1")).unwrap()
}

#[test]
fn a_problem_has_the_members_of_the_standard_and_ours() {
    let violations = vec![Violation { pointer: "/base".into(), detail: "is required".into() }];
    let (response, body) = read(&Error::invalid(violations).with_log_message("the secret is 42"));
    assert_eq!(response.status(), 400);
    assert_eq!(response.headers()["content-type"], "application/problem+json");
    let expected = json!({
        "type": "/problems/invalid-request",
        "title": "Invalid request",
        "status": 400,
        "detail": "the input does not satisfy the schema of this method",
        "instance": "/services/a/v1/b",
        "code": "invalid-request",
        "retryable": false,
        "request_id": "id-1",
        "errors": [{"pointer": "/base", "detail": "is required"}],
    });
    assert_eq!(body, expected);
}

#[test]
fn problem_holds_no_log_message() {
    let (_, body) = read(&Error::internal("the database is at 10.0.0.1").with_log_message("again"));
    assert_eq!(body["code"], "internal");
    assert!(!body.to_string().contains("10.0.0.1") && body.get("errors").is_none(), "{body}");
}

#[test]
fn headers_hold_retry_after_allow_and_challenge() {
    let error = Error::new(Code::OVERLOADED, "busy").with_retry_after(Duration::from_millis(1_001));
    assert_eq!(read(&error).0.headers()["retry-after"], "2");
    let error = Error::new(Code::METHOD_NOT_ALLOWED, "no").with_allow("POST, OPTIONS");
    assert_eq!(read(&error).0.headers()["allow"], "POST, OPTIONS");
    let error = Error::new(Code::UNAUTHENTICATED, "who are you?");
    assert_eq!(read(&error).0.headers()["www-authenticate"], "Bearer");
    let (response, _) = read(&Error::not_found("no"));
    assert_eq!(response.headers().len(), 1);
}

#[test]
fn problems_have_the_members_that_are_described() {
    let id = id();
    let members = |error: &Error| -> Value {
        let problem = ProblemDetails::new(error, "/services/a/v1/b", &id).to_json();
        let problem: Value = serde_json::from_slice(&problem).unwrap();
        problem.as_object().unwrap().keys().cloned().collect()
    };
    let violation = Violation { pointer: "/a".to_owned(), detail: "is missing".to_owned() };
    let described: Value = schema()["properties"].as_object().unwrap().keys().cloned().collect();
    assert_eq!(members(&Error::invalid(vec![violation])), described);
    assert_eq!(members(&Error::not_found("nothing")), schema()["required"]);
}
