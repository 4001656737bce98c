//! What is not written comes from what is: names, titles, descriptions, effects.

use gateway_runtime::{Result, expose_method, provider, service};

/** A block comment. */
#[service]
pub struct HTTPStatusCodes;

#[service]
impl HTTPStatusCodes {
    #[doc = concat!("Docs from ", "a macro.")]
    #[expose_method(GET)]
    async fn find_all(&self) -> Result<Vec<u16>> {
        Ok(vec![200, 404])
    }

    #[expose_method(POST)]
    async fn r#type(&self) -> Result<()> {
        Ok(())
    }
}

/// Nothing is said of it.
#[provider]
pub struct NoName;
