//! An answer that its client cannot read.

use gateway_runtime::{client::Http, *};

#[derive(__private::serde::Serialize, __private::schemars::JsonSchema)]
#[serde(crate = "gateway_runtime::__private::serde")]
#[schemars(crate = "gateway_runtime::__private::schemars")]
struct Book {
    title: String,
}

#[service]
struct Books;

#[service]
impl Books {
    #[expose_method(GET)]
    async fn best(&self) -> Result<Book> {
        Ok(Book { title: "Emma".to_owned() })
    }
}

async fn call() {
    let _ = Books::client(Http::to("http://localhost")).best().await;
}

fn main() {}
