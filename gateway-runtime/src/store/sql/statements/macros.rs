//! Macros for constant statements.

macro_rules! statements {
    ($($(#[$doc:meta])* $name:ident {
        sqlite: $sqlite:expr,
        postgres: $postgres:expr
        $(, reads_staging: $latest:literal)?
        $(, is_polled: $polled:literal)?
    })*) => {$(
        $(#[$doc])*
        pub(in crate::store) static $name: $crate::store::sql::statement::Statement =
            $crate::store::sql::statement::Statement {
            sqlite: std::borrow::Cow::Borrowed($sqlite),
            postgres: std::borrow::Cow::Borrowed($postgres),
            reads_staging: false $(|| $latest)?,
            is_polled: false $(|| $polled)?,
        };
    )*};
}

/// Expands to SQLite's JSON of a hold, as `HoldRow` is read.
macro_rules! hold_as_json {
    () => {
        "json_object('call', call, 'account', account, 'currency', currency, 'amount', amount, \
            'at', at,
            'until', until, 'lasting', json(iif(lasting, 'true', 'false')),
            'unknown', json(iif(unknown, 'true', 'false')), 'request_id', request_id, 'user', \
            user, 'origin', origin,
            'service', service, 'version', version, 'method', method, 'peer', peer, 'trace', trace,
            'provider', provider)"
    };
}
