//! An input that a macro takes for something the SDK brings.

use gateway_runtime::{Result, expose_method, model, service};

#[model]
struct Call {
    number: String,
}

#[service]
struct Phone;

#[service]
impl Phone {
    #[expose_method(POST)]
    async fn dial(&self, call: Call) -> Result<String> {
        Ok(call.number)
    }
}

fn main() {}
