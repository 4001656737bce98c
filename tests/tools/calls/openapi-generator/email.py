"""Calls the email example with the client that openapi-generator made of it for Python."""

import base64
import hashlib
import hmac
import sys
import time

from gateway_client import ApiClient, Configuration, Delivered, EmailApi, Problem, SendRequest, State
from gateway_client.exceptions import BadRequestException, UnauthorizedException, UnprocessableEntityException

# The example's key.
configuration = Configuration(host=sys.argv[1], api_key={"api_key": "gk_demo_let-me-try-it-please"})
key = f"python-{time.time_ns()}"

with ApiClient(configuration) as client:
    email = EmailApi(client)
    message = SendRequest(to=["ada@example.org"], cc=["bob@example.com"], subject="Grüße", text="Hello", html="<p>Hello</p>")

    sent = email.email_send(message, idempotency_key=key)
    assert sent.provider == "smtp" and sent.message_id, sent
    again = email.email_send(message, idempotency_key=key)
    assert again == sent, (sent, again)
    try:
        email.email_send(message.model_copy(update={"text": "Other"}), idempotency_key=key)
        raise AssertionError("it was not refused")
    except UnprocessableEntityException as refusal:
        assert isinstance(refusal.data, Problem) and refusal.data.code == "idempotency-mismatch", refusal.data

    def delivered(secret: bytes) -> int:
        """Tells that it has arrived, signed as Standard Webhooks has it; the status of the answer."""
        now = int(time.time())
        body = Delivered(message_id=sent.message_id)
        # The bytes that the client sends.
        code = hmac.digest(secret, f'msg_1.{now}.{{"message_id": "{sent.message_id}"}}'.encode(), hashlib.sha256)
        signature = f"v1,{base64.b64encode(code).decode()}"
        return email.email_delivered_webhook_with_http_info("msg_1", now, signature, body).status_code

    try:
        delivered(b"another secret")
        raise AssertionError("it was not refused")
    except UnauthorizedException as refusal:
        assert isinstance(refusal.data, Problem), refusal.data
    assert delivered(b"only for stand-ins") == 204

    status = email.email_status(sent.message_id)
    assert status.state == State.DELIVERED and status.provider == "smtp" and status.reason is None, status

    message.to = ["ada", "ada@example.org"]
    try:
        email.email_send(message)
        raise AssertionError("it was not refused")
    except BadRequestException as refusal:
        problem = refusal.data
        assert isinstance(problem, Problem) and problem.code == "invalid-request", problem
        assert {violation.pointer for violation in problem.errors or []} == {"/to/0"}, problem

print("Python: send, status and a signed webhook answered; refusals came as problems")
