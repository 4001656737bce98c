"""Autobahn's cases against one WebSocket server, as a process of its own. Prints a line of JSON for each case.

Usage: fuzz.py URL CONCURRENCY CASE…
"""

import asyncio
import json
import os
import sys

import kosoku


async def results(url, concurrency, cases):
    try:
        return await kosoku.run_fuzzingclient(url, cases, concurrency=concurrency)
    except kosoku.FailureError as failure:
        return failure.results


for result in asyncio.run(results(sys.argv[1], int(sys.argv[2]), sys.argv[3:])):
    print(json.dumps({
        "case": result.case_id,
        "passed": result.passed,
        "verdict": [result.behavior.value, result.behavior_close.value],
        "close": [result.remote_close_code, result.remote_close_reason, result.was_clean],
        "why": [result.result, result.result_close],
        "wire": [str(step)[:200] for step in result.wirelog[-8:]],
    }))
sys.stdout.flush()
# Its threads can abort an interpreter that ends in the usual way.
os._exit(0)
