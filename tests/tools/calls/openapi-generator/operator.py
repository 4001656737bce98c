"""Calls the operator's API of a gateway with the client that openapi-generator made of it for Python."""

import datetime
import sys
import time

from gateway_client import (
    AccountCreate,
    AdminApi,
    LimitSettings,
    LimitSettingsOneOf,
    ApiClient,
    Configuration,
    CreditCreate,
    Currency,
    NewKey,
    Problem,
    QuotaSettings,
    HoldResolution,
    HoldResolutionOneOf1,
)
from gateway_client.exceptions import NotFoundException, UnauthorizedException

configuration = Configuration(host=sys.argv[1], access_token=sys.argv[2])
account = f"python/{time.time_ns()}"
since = datetime.datetime(2024, 2, 29, tzinfo=datetime.UTC)

with ApiClient(configuration) as client:
    admin = AdminApi(client)

    opened = admin.post_admin_accounts(AccountCreate(id=account, plan=None), idempotency_key=account)
    assert (opened.id, opened.plan, opened.balances) == (account, "standard", []), opened
    credit = CreditCreate(amount="25", currency=Currency.USD, reference="invoice 1")
    assert not admin.post_admin_accounts_id_credits(account, credit).repeated
    assert admin.post_admin_accounts_id_credits(account, credit).repeated
    found = admin.get_admin_accounts_id(account)
    assert [(it.currency, it.available, it.held) for it in found.balances] == [("USD", "25", "0")], found
    entries = admin.get_admin_accounts_id_entries(account, limit=1)
    assert [(it.kind, it.amount) for it in entries.items] == [("credit", "25")] and entries.next is None, entries

    key = admin.post_admin_accounts_id_keys(account, new_key=NewKey(scopes=["a", "b"]))
    assert key.key.startswith("gk_") and key.scopes == ["a", "b"] and key.expires is None, key
    admin.delete_admin_accounts_id_keys_key_id(account, key.id)

    requests = admin.get_admin_requests(account="demo", fulfilled=True, since=since, limit=2)
    assert 1 <= len(requests.items) <= 2 and all(it.status < 300 and it.at > since for it in requests.items), requests
    whole = admin.get_admin_requests_id(requests.items[0].id)
    assert whole.request_id == requests.items[0].request_id, whole

    # A value of several types.
    concurrency = 2**63
    limits = QuotaSettings(
        enabled=False,
        total=LimitSettings("100000/min"),
        services={"currency": LimitSettings(LimitSettingsOneOf(rate="5/s", concurrency=concurrency))},
    )
    admin.put_admin_limits(quota_settings=limits)
    limits = admin.get_admin_limits().limits
    assert limits.total and limits.total.actual_instance == LimitSettingsOneOf(rate="100000/min"), limits
    assert limits.services["currency"].actual_instance == LimitSettingsOneOf(rate="5/s", concurrency=concurrency), limits

    try:
        admin.post_admin_holds_call_settle("0", HoldResolution(HoldResolutionOneOf1(release=True)))
        raise AssertionError("it was not refused")
    except NotFoundException as refusal:
        assert isinstance(refusal.data, Problem) and refusal.data.code == "not-found", refusal.data

with ApiClient(Configuration(host=sys.argv[1], access_token="another")) as client:
    try:
        AdminApi(client).get_admin_providers()
        raise AssertionError("it was not refused")
    except UnauthorizedException as refusal:
        assert isinstance(refusal.data, Problem) and refusal.data.code == "unauthenticated", refusal.data

print("Python: accounts, credits, keys, requests, limits and holds answered; refusals came as problems")
