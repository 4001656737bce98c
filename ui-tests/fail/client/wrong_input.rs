//! A call with something else than the method's input.

use gateway_runtime::{client::Http, *};

#[model]
struct Query {
    words: String,
}

#[service]
struct Books;

#[service]
impl Books {
    #[expose_method(GET)]
    async fn search(&self, query: Query) -> Result<String> {
        Ok(query.words)
    }
}

async fn call() {
    let _ = Books::client(Http::to("http://localhost")).search("emma").await;
}

fn main() {}
