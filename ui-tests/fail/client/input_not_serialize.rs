//! An input that its client cannot write.

use gateway_runtime::{client::Http, *};

#[derive(__private::serde::Deserialize, __private::schemars::JsonSchema)]
#[serde(crate = "gateway_runtime::__private::serde")]
#[schemars(crate = "gateway_runtime::__private::schemars")]
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

async fn call(query: Query) {
    let _ = Books::client(Http::to("http://localhost")).search(&query).await;
}

fn main() {}
