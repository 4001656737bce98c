//! Defaults of names, titles, descriptions and effects.

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

/// A provider without arguments.
#[provider]
pub struct NoName;
