//! An author's own names for everything that generated code could mean.

use gateway_runtime::{capability, expose_method, provide_method, provider, service};

/// A name of the prelude.
#[derive(Debug)]
pub struct Box;
/// A name of the prelude.
pub struct Vec;
/// A name of the prelude.
pub struct String;
/// A name of the prelude.
pub enum Option {
    /// A name of the prelude.
    Some,
    /// A name of the prelude.
    None,
}
/// A name of the prelude.
pub trait Clone {}
/// A name of the prelude.
pub trait Send {}
/// A name of the prelude.
pub trait From {}
/// A name of the prelude.
pub type Result = core::result::Result<u32, gateway_runtime::Error>;
/// A name of generated code's closures.
#[allow(non_upper_case_globals)]
pub const scope: u32 = 1;
/// A name of generated code's closures.
#[allow(non_upper_case_globals)]
pub const provider: u32 = 2;
/// A name of generated code's arguments.
#[allow(non_upper_case_globals)]
pub const a0: u32 = 3;

#[allow(non_snake_case, dead_code)]
fn Some() {}
#[allow(non_snake_case, dead_code)]
fn Ok() {}

/// Built from a field.
#[service]
pub struct Hygiene {
    field: std::sync::Arc<std::string::String>,
}

#[service]
impl Hygiene {
    #[expose_method(POST)]
    async fn call(&self, input: u32) -> Result {
        core::result::Result::Ok(input + u32::try_from(self.field.len())?)
    }
}

/// A capability with an argument.
#[capability]
pub trait Able {
    /// A method with an argument.
    #[provide_method(effect = read)]
    async fn able(
        &self,
        number: &u32,
        value: u64,
    ) -> core::result::Result<u64, gateway_runtime::ProviderError>;
}

#[allow(clippy::trivially_copy_pass_by_ref)]
fn cost(number: &u32) -> gateway_runtime::Money {
    gateway_runtime::Money::literal(i64::from(*number), "USD")
}

/// Built from nothing.
#[provider]
pub struct Unable;

#[provider]
impl Able for Unable {
    #[provide_method(cost = cost)]
    async fn able(
        &self,
        number: &u32,
        value: u64,
    ) -> core::result::Result<u64, gateway_runtime::ProviderError> {
        core::result::Result::Ok(u64::from(*number) + value)
    }
}
