//! Active health checks: a GET to each instance of an upstream at an interval.

use std::{sync::Weak, time::Duration};

use futures_util::{StreamExt, stream};
use http::{
    HeaderValue, Request, Uri,
    header::{HOST, USER_AGENT},
};
use tokio::time::{sleep, timeout};

use crate::edge::proxy::{
    connection::Clocks, instance::Instance, settings::CheckSettings, upload::Upload,
    upstream::Upstream,
};

/// The checks of one upstream that run at the same time.
const CONCURRENT_CHECKS: usize = 16;

/// Checks the instances of an upstream until it is dropped. Instances that have left are not
/// checked any more.
pub(super) async fn run(upstream: Weak<Upstream>, check: CheckSettings) {
    loop {
        let Some(upstream) = upstream.upgrade() else { return };
        let instances = upstream.instances();
        let mut checks = Vec::with_capacity(instances.instances().len());
        for instance in instances.instances() {
            checks.push(one(&upstream, instance, &check));
        }
        stream::iter(checks).buffer_unordered(CONCURRENT_CHECKS).collect::<()>().await;
        drop(upstream);
        // Gateways that were started together do not check together.
        sleep(check.interval.mul_f64(0.9 + 0.2 * fastrand::f64())).await;
    }
}

async fn one(upstream: &Upstream, instance: &Instance, check: &CheckSettings) {
    let asked = timeout(check.timeout, status(instance, check)).await;
    let has_passed = asked.ok().flatten().is_some_and(|status| match &*check.statuses {
        [] => (200..400).contains(&status),
        statuses => statuses.contains(&status),
    });
    if !instance.health.check(has_passed, check.fails, check.passes) {
        return;
    }
    if has_passed {
        upstream.is_back(instance);
    } else {
        let (upstream, address) = (upstream.name(), instance.address());
        tracing::warn!(upstream, instance = address, "the checks of an instance fail");
    }
}

/// Returns the status that an instance answers a check with, on a connection of its own.
async fn status(instance: &Instance, check: &CheckSettings) -> Option<u16> {
    let mut connection = instance.pool.open_apart().await.ok()?;
    let mut request = Request::new(Upload::empty());
    *request.uri_mut() = check.path.parse::<Uri>().ok()?;
    let headers = request.headers_mut();
    headers.insert(HOST, instance.host().clone());
    headers.insert(USER_AGENT, HeaderValue::from_static("gateway-health-check"));
    let clocks = Clocks { first_byte: check.timeout, idle: Duration::MAX };
    let response = connection.send(request, None, clocks).await.ok()?;
    Some(response.status().as_u16())
}
