//! Classes of PostgreSQL's errors.

use crate::store::StoreError;

pub(super) fn map_error(error: sqlx::Error) -> StoreError {
    let message = format!("PostgreSQL: {error}");
    let mapped = match error.as_database_error() {
        Some(error) if error.is_unique_violation() => StoreError::duplicate(message),
        Some(error) => match &*error.code().unwrap_or_default() {
            // The SQLSTATEs `disk_full` and `lock_not_available`.
            "53100" => StoreError::full(message),
            "55P03" => StoreError::locked(message),
            code => StoreError::of_code(message, is_refusal(code)),
        },
        None => StoreError::unavailable(message),
    };
    mapped.with_source(error)
}

/// Returns whether a SQLSTATE is about the statement, so that it would fail again: data exceptions,
/// constraints, errors in the statement. All others are about the server.
fn is_refusal(code: &str) -> bool {
    ["22", "23", "42"].iter().any(|class| code.starts_with(class))
}
