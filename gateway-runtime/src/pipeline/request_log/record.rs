//! The row of a call in the request log, from the call's state at the moment.

use std::{borrow::Cow, sync::Arc};

use crate::{
    base::{
        attempt::Attempt,
        call::Call,
        error::{Code, Error},
        money::Money,
        reply::Reply,
    },
    store::{Attribution, CallId, RequestRecord},
};

/// The code of a call whose client disconnected, with the status that nginx logs for it.
pub(in crate::pipeline) const CANCELLED: Code = Code::new("cancelled", 499, "Cancelled");

/// The end of a call, as its row has it.
#[derive(Clone, Copy, Debug)]
pub(in crate::pipeline) struct Status {
    /// The HTTP status of the reply.
    pub(in crate::pipeline) status: u16,
    /// The code of the error. A stream that fails after its head has one, with status 200.
    pub(in crate::pipeline) code: Option<&'static str>,
}

impl Status {
    pub(in crate::pipeline) const CANCELLED: Self = Self::failed(CANCELLED);

    const fn failed(code: Code) -> Self {
        Self { status: code.status(), code: Some(code.name()) }
    }

    pub(in crate::pipeline) fn of(outcome: &Result<Reply, Error>) -> Self {
        match outcome {
            Ok(Reply::Empty) => Self { status: 204, code: None },
            Ok(_) => Self { status: 200, code: None },
            Err(error) => Self::failed(error.code()),
        }
    }
}

/// Returns the properties of a call that do not depend on its outcome.
pub(in crate::pipeline) fn attribution(call: &Call) -> Attribution {
    let (service, method) = (call.service(), call.method());
    Attribution {
        request_id: call.id().as_str().to_owned(),
        user: call.caller().user().map(Arc::from),
        origin: call.origin().as_str().into(),
        service: service.name.into(),
        version: service.version,
        method: method.name.into(),
        peer: call.peer().map(|peer| peer.to_string()),
        trace: call.trace_id().map(str::to_owned),
        provider: None,
    }
}

/// Returns the row of a call that arrived at `at` (microseconds since 1970).
pub(in crate::pipeline) fn request(
    call: &Call,
    key: CallId,
    at: i64,
    status: Status,
    price: Option<Money>,
) -> RequestRecord {
    let (provider, cost, attempts) = call.with_attempts(|attempts| {
        let answered =
            attempts.iter().rev().find(|attempt| attempt.answered).map(|attempt| attempt.provider);
        let json =
            (!attempts.is_empty()).then(|| serde_json::to_string(attempts).unwrap_or_default());
        (answered, cost_of(attempts), json)
    });
    // The attempt of a stream ends with the stream.
    let streaming = call.streaming_provider();
    let Attribution { request_id, user, origin, service, version, method, peer, trace, .. } =
        attribution(call);
    let Status { status, code } = status;
    RequestRecord {
        call: key,
        request_id,
        at,
        account: call.caller().account().map(Arc::from),
        user,
        origin,
        service,
        version,
        method,
        status,
        code: code.map(Cow::Borrowed),
        fulfilled: status < 400 && code.is_none(),
        cache_hit: call.is_cache_hit(),
        replay: call.is_replayed(),
        price: price.map(Money::nanos),
        currency: price.map(Money::currency),
        cost: cost.map(Money::nanos),
        cost_currency: cost.map(Money::currency),
        provider: provider.or(streaming).map(Cow::Borrowed),
        duration: i64::try_from(call.started().elapsed().as_micros()).unwrap_or(i64::MAX),
        peer,
        trace,
        attempts,
    }
}

/// Returns the cost of the attempts that were executed, or may have been: `None` unless it is known
/// of each, in one currency. Zero is zero in every currency.
fn cost_of(attempts: &[Attempt]) -> Option<Money> {
    let mut executed = attempts.iter().filter(|attempt| attempt.may_have_cost());
    let first = executed.next()?.cost?;
    executed.try_fold(first, |sum, attempt| match (sum, attempt.cost?) {
        (sum, cost) if cost.nanos() == 0 => Some(sum),
        (sum, cost) if sum.nanos() == 0 => Some(cost),
        (sum, cost) => sum.checked_add(cost),
    })
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::base::{attempt::AttemptClass, spec::Effect};

    #[test]
    fn cost_of_attempts_is_their_sum_and_zero_has_no_currency() {
        let cost = |costs: &[Option<&str>]| {
            let attempt = |cost: &Option<&str>| Attempt {
                provider: "provider",
                capability: "capability",
                method: "method",
                effect: Effect::Read,
                class: AttemptClass::Fulfilled,
                status: None,
                answered: true,
                latency: Duration::ZERO,
                cost: cost.map(|cost| cost.parse().unwrap()),
                reason: Cow::Borrowed(""),
            };
            cost_of(&costs.iter().map(attempt).collect::<Vec<_>>())
        };
        let money = |text: &str| Some(text.parse::<Money>().unwrap());
        assert_eq!(cost(&[Some("0.1 USD"), Some("0.2 USD")]), money("0.3 USD"));
        assert_eq!(cost(&[Some("0.0002 USD"), Some("0 EUR")]), money("0.0002 USD"));
        assert_eq!(cost(&[Some("0 EUR"), Some("0.0002 USD")]), money("0.0002 USD"));
        assert_eq!(cost(&[Some("0 EUR"), Some("0 USD")]), money("0 EUR"));
        assert_eq!(cost(&[Some("0.1 USD"), Some("0.1 EUR")]), None);
        assert_eq!(cost(&[Some("0.1 USD"), None]), None);
        assert_eq!(cost(&[]), None);
    }
}
