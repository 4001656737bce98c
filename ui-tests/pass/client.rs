//! Typed clients: which argument each of their methods takes, and how the blocks of a service share one.

use gateway_runtime::{
    Call, Caller, Error, FromCall, Raw, Result, Streaming,
    client::{ClientError, Http, ReplyBody, ReplyStream},
    expose_method, media, model, service,
};

/// What to look for.
#[model]
pub struct Query {
    /// Some words.
    pub words: String,
}

/// Who pays; no input.
#[derive(FromCall)]
pub struct Tenant(Caller);

/// A service in two blocks.
#[service(name = "books")]
pub struct Books;

#[service]
impl Books {
    /// The input is told by its type, wherever it stands.
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

    /// No input, which only the types tell.
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

    // By its path, since the client is looked for where the service is.
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

/// Calls all of them.
///
/// # Errors
///
/// Those of the calls.
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

/// Makes one.
#[must_use]
pub fn client() -> BooksClient {
    Books::client(Http::to("http://localhost:8080"))
}

/// Makes one, where only its type is known.
#[must_use]
pub fn client_from() -> BooksClient {
    Http::to("http://localhost:8080").into()
}
