"""Calls the currency example with the client that openapi-python-client made of it."""

import datetime
import json
import sys

from gateway_client.api.currency import currency_convert, currency_history, currency_rates
from gateway_client.client import AuthenticatedClient
from gateway_client.models.conversion import Conversion
from gateway_client.models.problem import Problem
from gateway_client.models.rates import Rates
from gateway_client.models.symbol import Symbol

# The example's key.
client = AuthenticatedClient(
    base_url=sys.argv[1], token="gk_demo_let-me-try-it-please", prefix="", auth_header_name="X-Api-Key"
)
day = datetime.date(2024, 2, 29)

rates = currency_rates.sync(client=client, symbols=[Symbol.USD, Symbol.JPY], date=day)
assert isinstance(rates, Rates), rates
assert rates.date == day and rates.base == Symbol.EUR, rates
assert rates.rates.to_dict() == {"USD": "1.0826", "JPY": "162.53"}, rates

converted = currency_convert.sync(client=client, from_=Symbol.EUR, to=Symbol.USD, amount="200.00", date=day)
assert isinstance(converted, Conversion), converted
assert (converted.rate, converted.result) == ("1.0826", "216.52"), converted

stream = currency_history.sync_detailed(client=client, symbol=Symbol.USD, from_=day)
assert stream.headers["content-type"] == "text/event-stream", stream.headers
first = stream.content.split(b"\n", 1)[0]
assert json.loads(first.removeprefix(b"data: ")) == {"date": "2024-02-29", "rate": "1.0826"}, first

refused = currency_convert.sync(client=client, from_=Symbol.EUR, to=Symbol.USD, amount="a lot")
assert isinstance(refused, Problem), refused
assert refused.code == "invalid-request" and refused.errors, refused
assert [violation.pointer for violation in refused.errors] == ["/amount"], refused

print("rates, convert and history answered; a refusal came as a problem")
