//! The statement of the margin: sums of price and cost.

use crate::store::{
    MarginQuery, Statement,
    sql::statements::fragment::{SqlFragment, all, compare, sql},
};

/// Returns the statement that gives `{service, version, method, provider, currency, cost_currency,
/// day, price, cost, paid, cost_unknown}` for each request kind, and each day if `span` groups by
/// day. Each sum is a pair of whole units and nanounits, so that it stays within the database's
/// integers.
pub(in crate::store) fn margin(span: &MarginQuery) -> Statement {
    let conditions = [
        (true, "call", ">=", "low", "text"),
        (true, "call", "<", "high", "text"),
        (span.since.is_some(), "at", ">=", "since", "bigint"),
        (span.until.is_some(), "at", "<", "until", "bigint"),
        (span.account.is_some(), "account", "=", "account", "text"),
    ];
    let conditions = conditions.into_iter().filter(|(is_asked, ..)| *is_asked);
    let SqlFragment { sqlite, postgres } = all(conditions
        .map(|(_, column, operator, key, type_of)| compare(column, operator, key, type_of)));
    let day = if span.group_by_day { "at / 86400000000" } else { "0" };
    let summed = |conditions: &str, whole: &str| {
        format!(
            "WITH summed AS (SELECT kind, {day} AS day, sum(price / 1000000000){whole} \
                AS price_units,
                sum(price % 1000000000){whole} AS price_rest, sum(cost / 1000000000){whole} \
                AS cost_units,
                sum(cost % 1000000000){whole} AS cost_rest, count(CASE WHEN price > 0 THEN 1 END) \
                AS paid,
                count(*) - count(cost) AS without_cost
            FROM requests WHERE {conditions} GROUP BY 1, 2)"
        )
    };
    let fields = "'service', service, 'version', version, 'method', method, 'provider', provider, \
        'currency', currency,
        'cost_currency', cost_currency, 'day', day, 'paid', paid,
        'cost_unknown', CASE WHEN provider IS NULL THEN 0 ELSE without_cost END";
    sql(
        format!(
            "{} SELECT json_object({fields}, 'price', json_array(coalesce(price_units, 0), \
                coalesce(price_rest, 0)),
                'cost', json_array(coalesce(cost_units, 0), coalesce(cost_rest, 0)))
            FROM summed JOIN kinds ON kinds.id = kind",
            summed(&sqlite, "")
        ),
        format!(
            "{} SELECT json_build_object({fields},
                'price', json_build_array(coalesce(price_units, 0), coalesce(price_rest, 0)),
                'cost', json_build_array(coalesce(cost_units, 0), coalesce(cost_rest, 0)))::text
            FROM summed JOIN kinds ON kinds.id = kind",
            summed(&postgres, "::bigint")
        ),
    )
    .reading_latest()
}
