"""Calls the email example with the client that openapi-python-client made of it."""

import base64
import hashlib
import hmac
import json
import sys
import time

from gateway_client.api.email import email_delivered_webhook, email_send, email_status
from gateway_client.client import AuthenticatedClient
from gateway_client.models.accepted import Accepted
from gateway_client.models.delivered import Delivered
from gateway_client.models.problem import Problem
from gateway_client.models.send_request import SendRequest
from gateway_client.models.state import State
from gateway_client.models.status import Status

# The example's key.
client = AuthenticatedClient(
    base_url=sys.argv[1], token="gk_demo_let-me-try-it-please", prefix="", auth_header_name="X-Api-Key"
)
message = SendRequest(to=["ada@example.org"], cc=["bob@example.com"], subject="Grüße", text="Hello", html="<p>Hello</p>")

sent = email_send.sync(client=client, body=message)
assert isinstance(sent, Accepted), sent
assert sent.provider == "smtp" and sent.message_id, sent


def delivered(secret: bytes) -> int:
    """Tells that it has arrived, signed as Standard Webhooks has it; the status of the answer."""
    assert isinstance(sent, Accepted)
    body = Delivered(message_id=sent.message_id)
    now = int(time.time())
    # The bytes that the client sends.
    text = json.dumps(body.to_dict(), ensure_ascii=False, separators=(",", ":"))
    code = hmac.digest(secret, f"msg_1.{now}.{text}".encode(), hashlib.sha256)
    response = email_delivered_webhook.sync_detailed(
        client=client,
        body=body,
        webhook_id="msg_1",
        webhook_timestamp=now,
        webhook_signature=f"v1,{base64.b64encode(code).decode()}",
    )
    return response.status_code


assert delivered(b"another secret") == 401
assert delivered(b"only for stand-ins") == 204

status = email_status.sync(client=client, message_id=sent.message_id)
assert isinstance(status, Status), status
assert status.state == State.DELIVERED and status.provider == "smtp", status

message.to = ["ada", "ada@example.org"]
refused = email_send.sync(client=client, body=message)
assert isinstance(refused, Problem), refused
assert refused.code == "invalid-request" and refused.errors, refused
assert {violation.pointer for violation in refused.errors} == {"/to/0"}, refused

unknown = email_status.sync(client=client, message_id="of last year")
assert isinstance(unknown, Problem) and unknown.code == "not-found", unknown

print("send, status and a signed webhook answered; refusals came as problems")
