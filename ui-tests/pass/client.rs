//! Typed clients: the argument of each of their methods, and one client shared by all blocks of a
//! service.

use gateway_runtime::{
    Call, Caller, Error, FromCall, Raw, Result, Streaming,
    client::{ClientError, Http, ReplyBody, ReplyStream},
    expose_method, media, model, service,
};

/// A search.
#[model]
pub struct Query {
    /// The words to search for.
    pub words: String,
}

/// The paying account; no input.
#[derive(FromCall)]
pub struct Tenant(Caller);

/// A service in two blocks.
#[service(name = "books")]
pub struct Books;

#[service]
impl Books {
    /// The input is recognised by its type, at any position.
    #[expose_method(GET)]
    async fn search(&self, _tenant: Tenant, _call: Call, query: Query) -> Result<Vec<String>> {
        Ok(vec![query.words])
    }

    #[expose_method(POST)]
    async fn refresh(&self) -> Result<()> {
        Ok(())
    }

    #[expose_method(GET, name = "who-am-i", deprecated)]
    async fn who(&self, call: Call, caller: Caller) -> Result<String> {
        Ok(format!("{:?} {}", caller.account(), call.id()))
    }

    /// Has no input, which only the types show.
    #[expose_method(GET)]
    async fn tenant(&self, tenant: Tenant) -> Result<Option<String>> {
        Ok(tenant.0.account().map(str::to_owned))
    }

    #[expose_method(POST, webhook = HmacSha256("BOOKS_SECRET"))]
    async fn sold(&self, query: Query) -> Result<()> {
        drop(query);
        Ok(())
    }
}

mod streams {
    use super::{Error, Query, Raw, Result, Streaming, expose_method, media, service};

    // By its path, since the client is resolved where the service is.
    #[service]
    impl super::Books {
        #[expose_method(GET)]
        async fn ticks(&self, query: Query) -> Result<Streaming<u32>> {
            let _ = query;
            Err(Error::not_found("no ticks"))
        }

        #[expose_method(PUT)]
        async fn cover(&self, query: Query) -> Result<Raw<media::Png>> {
            Ok(Raw::new(query.words.into_bytes()))
        }
    }
}

/// Calls all methods.
///
/// # Errors
///
/// Returns the errors of the calls.
pub async fn call_all(books: BooksClient, query: &Query) -> Result<(), ClientError> {
    let _: Vec<String> = books.search(query).await?;
    let () = books.refresh().idempotency_key("k").await?;
    #[allow(deprecated)]
    let _: String = books.who().await?;
    let _: Option<String> = books.tenant(&()).await?;
    let _: ReplyStream<u32> = books.ticks(query).await?;
    let _: ReplyBody = books.cover(query).bearer("t").await?;
    Ok(())
}

/// Creates a client.
#[must_use]
pub fn client() -> BooksClient {
    Books::client(Http::to("http://localhost:8080"))
}

/// Creates a client, where only its type is known.
#[must_use]
pub fn client_from() -> BooksClient {
    Http::to("http://localhost:8080").into()
}
