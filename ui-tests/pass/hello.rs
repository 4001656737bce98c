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

/// What is `main` in a program.
///
/// # Errors
///
/// Why the gateway does not start.
pub fn main() -> Result<(), StartError> {
    Gateway::from_env()?.run()
}
