"""Reads /metrics of the operator's listener at BASE with the parsers of Prometheus' Python client, in both text formats."""

import sys
from urllib.request import Request, urlopen

from prometheus_client.openmetrics.parser import text_string_to_metric_families as parse_openmetrics
from prometheus_client.parser import text_string_to_metric_families as parse_prometheus

EXPECTED = {
    "gateway_calls", "gateway_calls_in_flight", "gateway_call_duration_seconds", "gateway_provider_state",
    "gateway_attempt_duration_seconds", "gateway_connections_open", "gateway_build_info", "process_resident_memory_bytes",
}


def families(accept, parse):
    with urlopen(Request(f"{sys.argv[1]}/metrics", headers={"Accept": accept}), timeout=10) as answer:
        media_type, text = answer.headers["Content-Type"], answer.read().decode()
    assert media_type.startswith(accept), media_type
    found = {family.name: family for family in parse(text)}
    assert EXPECTED <= found.keys(), EXPECTED - found.keys()
    unknown = [name for name, family in found.items() if family.type == "unknown"]
    assert not unknown, unknown
    return found


plain = families("text/plain", parse_prometheus)
open_metrics = families("application/openmetrics-text", parse_openmetrics)
assert plain.keys() == open_metrics.keys(), plain.keys() ^ open_metrics.keys()
print(f"{len(plain)} metrics, {sum(len(family.samples) for family in open_metrics.values())} samples, in both formats")
