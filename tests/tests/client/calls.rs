//! Inputs and replies of calls.

use gateway_runtime::client::Http;

use super::{
    lab::{Lab, Search, gateway},
    scripted::Scripted,
};

#[tokio::test]
async fn every_verb_carries_its_input_and_its_reply() {
    let (_gateway, lab) = gateway().await;
    let search = Search::example();
    assert_eq!(lab.look(&search).await.unwrap(), search);
    assert_eq!(lab.make(&search).await.unwrap(), search);
    assert_eq!(lab.put(&search).await.unwrap(), [search.clone(), search.clone()]);
    assert_eq!(lab.patch(&Some(search.clone())).await.unwrap(), Some(search.clone()));
    let () = lab.remove(&search).await.unwrap();
    let missing = lab.remove(&search).header("x-own", "1").await.unwrap_err();
    assert_eq!(
        missing.problem().unwrap().detail,
        search.some_words,
        "a DELETE has its input in the query, too"
    );
}

#[tokio::test]
async fn unit_input_and_unit_reply_have_no_body() {
    let (_gateway, lab) = gateway().await;
    let () = lab.ping().await.unwrap();
    assert_eq!(lab.patch(&None).await.unwrap(), None);
    // The argument is a type of the author's; only the compiler knows that it is no input.
    assert_eq!(lab.told(&()).await.unwrap().own, None);
}

#[tokio::test]
async fn headers_of_a_call_override_those_of_the_client() {
    let (gateway, lab) = gateway().await;
    let told =
        lab.told(&()).bearer("t1").idempotency_key("k1").header("x-own", "o1").await.unwrap();
    assert_eq!(told.authorization.as_deref(), Some("Bearer t1"));
    assert_eq!(told.idempotency_key.as_deref(), Some("\"k1\""));
    assert_eq!(told.own.as_deref(), Some("o1"));

    let lab = Lab::client(Http::to(gateway.url()).bearer("t2").header("x-own", "o2"));
    let told = lab.told(&()).bearer("t3").await.unwrap();
    assert_eq!(
        (told.authorization.as_deref(), told.own.as_deref()),
        (Some("Bearer t3"), Some("o2"))
    );
}

#[tokio::test]
async fn clones_and_concurrent_calls_share_a_client() {
    let (_gateway, lab) = gateway().await;
    let search = Search::example();
    let other = lab.clone();
    let (first, second, third) = tokio::join!(lab.look(&search), other.make(&search), lab.ping());
    assert_eq!((first.unwrap(), second.unwrap()), (search.clone(), search));
    third.unwrap();
}

#[tokio::test]
async fn the_gateway_may_be_behind_a_path() {
    let server = Scripted::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    for base in
        [server.url().to_owned(), format!("{}/", server.url()), format!("{}/a/b/", server.url())]
    {
        let () = Lab::client(Http::to(base)).ping().await.unwrap();
    }
    let [plain, behind] =
        ["POST /services/lab/v3/ping HTTP/1.1", "POST /a/b/services/lab/v3/ping HTTP/1.1"];
    assert_eq!(server.requests(), [plain, plain, behind]);
}

#[tokio::test]
async fn query_string_is_written_in_its_usual_form() {
    let server = Scripted::answering("HTTP/1.1 204 No Content\r\n\r\n").await;
    let _ = Lab::client(Http::to(server.url())).look(&Search::example()).await;
    let query = "someWords=a+b+%26+c%3Dd+%2B+%C3%BC+%2520&ratio=0.1&isNew=true&order=newest_first&\
        since=2026-02-28\
                 &tags=x&tags=1&limit=20";
    assert_eq!(server.requests(), [format!("GET /services/lab/v3/look?{query} HTTP/1.1")]);
}
