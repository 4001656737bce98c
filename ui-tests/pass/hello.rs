//! The smallest service, as the README has it.

use gateway_runtime::prelude::*;

#[model]
struct Person {
    name: String,
}

#[service(name = "hello")]
struct Hello;

#[service]
impl Hello {
    /// Greets.
    #[expose_method(GET)]
    async fn greet(&self, who: Person) -> Result<String> {
        Ok(format!("Hello, {}!", who.name))
    }
}

/// The `main` of a program.
///
/// # Errors
///
/// Returns the reason for which the gateway does not start.
pub fn main() -> Result<(), StartError> {
    Gateway::from_env()?.run()
}
