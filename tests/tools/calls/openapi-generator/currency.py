"""Calls the currency example with the client that openapi-generator made of it for Python."""

import datetime
import json
import sys

from gateway_client import ApiClient, Configuration, CurrencyApi, DayRate, Problem, Symbol
from gateway_client.exceptions import BadRequestException

# The example's key.
configuration = Configuration(host=sys.argv[1], api_key={"api_key": "gk_demo_let-me-try-it-please"})
day = datetime.date(2024, 2, 29)

with ApiClient(configuration) as client:
    currency = CurrencyApi(client)

    rates = currency.currency_rates(symbols=[Symbol.USD, Symbol.JPY], var_date=day)
    assert rates.var_date == day and rates.base == Symbol.EUR, rates
    assert rates.rates.to_dict() == {"USD": "1.0826", "JPY": "162.53"}, rates

    converted = currency.currency_convert(var_from=Symbol.EUR, to=Symbol.USD, amount="200.00", var_date=day)
    assert (converted.rate, converted.result) == ("1.0826", "216.52"), converted

    # Of two media types it asks for the one that looks like JSON.
    stream = currency.currency_history_without_preload_content(symbol=Symbol.USD, var_from=day)
    assert stream.headers["content-type"] == "application/x-ndjson", stream.headers
    first = next(iter(stream))
    stream.close()
    item = DayRate.from_dict(json.loads(first))
    assert item is not None and (item.var_date, item.rate) == (day, "1.0826"), item

    try:
        currency.currency_convert(var_from=Symbol.EUR, to=Symbol.USD, amount="a lot")
        raise AssertionError("it was not refused")
    except BadRequestException as refusal:
        problem = refusal.data
        assert isinstance(problem, Problem) and problem.code == "invalid-request", problem
        assert [violation.pointer for violation in problem.errors or []] == ["/amount"], problem

print("Python: rates, convert and history answered; a refusal came as a problem")
