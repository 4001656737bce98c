"""A gateway with one proxy route, `/up`, to an instance."""

from program import Program

LISTENING = r"http://(127\.0\.0\.1:\d+)"


def configuration(instance, more=""):
    """The `gateway.toml` of a gateway on a free port."""
    return f"""\
[http]
listen = "127.0.0.1:0"

[log]
level = "warn,gateway_runtime::gateway=info"

[upstreams.up]
urls = ["{instance}"]
{more}"""


def gateway(programs, out, instance, more=""):
    """The program `gateway` in front of `instance`; the `with` gives a match whose first group is its address."""
    out.mkdir(parents=True, exist_ok=True)
    (out / "gateway.toml").write_text(configuration(instance, more))
    return Program([programs / "gateway", "serve", "gateway.toml"], LISTENING, out)
