//! The start of the program: its requirements, its output, and the control of its stand-ins.

use std::sync::mpsc;

use gateway_runtime::Gateway;
use serde_json::json;

use super::house::House;
use crate::database::Database;

/// The configuration for `--accounts`.
const ACCOUNTS: &str = include_str!("../../../examples/email/gateway.toml");

#[tokio::test]
async fn with_accounts_the_secret_of_the_webhooks_must_be_set() {
    let folder = Database::sqlite();
    let books = folder.folder().join("email.db").display().to_string();
    let accounts = ACCOUNTS.replace("email.db", &books).replace("127.0.0.1:9090", "127.0.0.1:0");
    let on_a_free_port = format!("http.listen = '127.0.0.1:0'\n{accounts}");
    let error = Gateway::from_toml(&on_a_free_port).unwrap().start().await.unwrap_err().to_string();
    assert!(error.contains("`EMAIL_WEBHOOK_SECRET`") && error.contains("[secrets]"), "{error}");
    let secrets = "[secrets]\nEDGE_WEBHOOK_SECRET = 'not used'\nEMAIL_WEBHOOK_SECRET = \
        'whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw'";
    let with_secrets = on_a_free_port.replace("[secrets]", secrets);
    Gateway::from_toml(&with_secrets).unwrap().start().await.unwrap().stop().await.unwrap();
}

#[tokio::test]
async fn printed_address_is_where_it_listens() {
    let (tell, told) = mpsc::channel();
    let settings = "http = { listen = '127.0.0.1:0', workers = 1 }
                    secrets = { EDGE_WEBHOOK_SECRET = 'not used', EMAIL_WEBHOOK_SECRET = 'not \
                    used' }";
    let gateway = Gateway::from_toml(settings).unwrap();
    let gateway = gateway
        .on_listening(move |running| tell.send(running.address()).unwrap())
        .start()
        .await
        .unwrap();
    assert_eq!(told.recv().unwrap(), gateway.address());
}

#[tokio::test]
async fn stand_in_is_made_to_fail_over_http() {
    let house = House::new().await;
    let (status, state) = house.post("/stand-ins/smtp/refuse", &[], &json!(null)).await;
    assert_eq!((status, &state["smtp"]), (200, &json!({ "behaviour": "refuse", "taken": 0 })));
    assert_eq!(house.send().await.unwrap().provider, "sendgrid");
    let (_, state) = house.post("/stand-ins/sendgrid/503", &[], &json!(null)).await;
    assert_eq!(state["sendgrid"], json!({ "behaviour": "503", "taken": 1 }));
    assert_eq!(house.post("/stand-ins/smtp/die", &[], &json!(null)).await.0, 400);
    assert_eq!(house.post("/stand-ins/nobody/well", &[], &json!(null)).await.0, 404);
}
