//! Mail through four providers. `cargo run --release -p email` sends to local stand-ins, which can
//! be made to fail; with `-- --accounts` it sends with the accounts that `gateway.toml` names.

use email::stand_ins::StandIns;
use gateway_runtime::{RunningGateway, prelude::*};

/// Settings for use with the stand-ins: a store in the working directory for accounts and the
/// request log, the operator's API, and an API key to try, `gk_demo_let-me-try-it-please`.
const STAND_IN_SETTINGS: &str = r#"
[store]
path = "email.db"

[admin]
listen = "127.0.0.1:9090"

[auth.keys.demo]
hash = "4f6d2a239eb5bc8e9fdfde1f5d253a72a336227062700e4596ecb31c34d23c34"
account = "demo"
"#;

fn main() -> Result<(), StartError> {
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let gateway = match arguments.iter().position(|argument| argument == "--accounts") {
        Some(place) => {
            arguments.remove(place);
            Gateway::from_arguments_over(include_str!("../gateway.toml"), arguments)?
        }
        None => {
            let stand_ins = StandIns::start()?;
            let settings = stand_ins.settings() + STAND_IN_SETTINGS;
            let gateway = Gateway::from_arguments_over(&settings, arguments)?;
            gateway.mount(stand_ins.mount()?).on_listening(move |running| tell(&stand_ins, running))
        }
    };
    gateway.version(env!("CARGO_PKG_VERSION")).expect_services(["email"]).run()
}

#[expect(clippy::print_stderr, reason = "told to whoever started it by hand")]
fn tell(stand_ins: &StandIns, running: &RunningGateway) {
    let (gateway, operator) = (running.address(), running.admin_address());
    let operator =
        operator.map_or_else(|| "127.0.0.1:9090".to_owned(), |address| address.to_string());
    eprintln!("stand-ins take the mail; none of it leaves this machine:");
    for (name, stand_in) in stand_ins.iter() {
        eprintln!("  {name:<9} {}", stand_in.address());
    }
    eprintln!(
        "open an account and put money into it, send some mail, see who has taken it, and make one \
         fail (well, refuse, cut, hang, or a\nstatus such as 500):"
    );
    eprintln!(
        r#"  curl {operator}/admin/accounts -H 'content-type: application/json' -d '{{"id": "demo"}}'
  curl {operator}/admin/accounts/demo/credits -H 'content-type: application/json' \
    -d '{{"amount": "1", "currency": "USD", "reference": "a present"}}'"#
    );
    eprintln!(
        "  curl {gateway}/services/email/v1/send -H 'content-type: application/json' \
         -H 'x-api-key: gk_demo_let-me-try-it-please' \\"
    );
    eprintln!(
        r#"    -d '{{"to": ["ada@example.org"], "subject": "Hello", "text": "How are you?"}}'
  curl {gateway}/stand-ins
  curl -X POST {gateway}/stand-ins/smtp/refuse"#
    );
}
