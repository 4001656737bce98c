//! Query strings from JSON objects, in the form that a service parses.

#[cfg(test)]
mod tests;

use serde_json::{Map, Value};

use crate::edge::client::ClientError;

/// Writes `input`, an object of texts, numbers, booleans and lists of these, as a query string.
/// Lists repeat their name; null values and empty lists are left out.
///
/// # Errors
///
/// The name of a property that a query string cannot express.
pub(super) fn write(input: &[u8]) -> Result<String, ClientError> {
    let properties = match serde_json::from_slice(input) {
        Ok(Value::Object(properties)) => properties,
        Ok(Value::Null) => Map::new(),
        _ => {
            return Err(ClientError::invalid(
                "a query string has named values, but the input is not a struct",
            ));
        }
    };
    let mut query = form_urlencoded::Serializer::new(String::new());
    for (name, value) in &properties {
        match value {
            Value::Null => {}
            Value::Array(items) => {
                for item in items {
                    query.append_pair(name, &text(name, item)?);
                }
            }
            one => {
                query.append_pair(name, &text(name, one)?);
            }
        }
    }
    Ok(query.finish())
}

fn text(name: &str, value: &Value) -> Result<String, ClientError> {
    match value {
        Value::String(text) => Ok(text.clone()),
        Value::Number(_) | Value::Bool(_) | Value::Null => Ok(value.to_string()),
        Value::Array(_) => Err(ClientError::invalid(format!(
            "a query string cannot carry `{name}`, a list of lists"
        ))),
        Value::Object(_) => Err(ClientError::invalid(format!(
            "a query string cannot carry `{name}`, which is an object"
        ))),
    }
}
