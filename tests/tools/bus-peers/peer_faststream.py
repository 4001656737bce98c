"""FastStream, as worker and as client. Its `request` sets `expiration` only where it is told to."""

import asyncio
import json
import sys

from faststream import FastStream
from faststream.rabbit import ExchangeType, RabbitBroker, RabbitExchange, RabbitMessage, RabbitQueue
from faststream.rabbit.response import RabbitResponse

role, url = sys.argv[1:3]
broker = RabbitBroker(url, logger=None)
queue = RabbitQueue("peers.faststream", routing_key="faststream.#", durable=True)
exchange = RabbitExchange("peers", type=ExchangeType.TOPIC, durable=True)


async def raw(request: RabbitMessage):
    return request.body


async def worker():
    @broker.subscriber(queue, exchange, decoder=raw)
    async def answer(body: bytes, request: RabbitMessage):
        key = request.raw_message.routing_key
        said = f"{request.headers['X-WASP-METHOD']} {key} {request.headers['X-WASP-QS']}"
        headers = {"X-WASP-STATUS": 201, "x-said": said, "set-cookie": ["a=1", "b=2"]}
        return RabbitResponse(body, headers=headers, correlation_id=request.correlation_id, content_type="text/plain")

    app = FastStream(broker, logger=None)

    @app.after_startup
    async def ready():
        print("waits for requests", flush=True)

    await app.run()


async def client(call, key):
    async with broker:
        answer = await broker.request(
            json.loads(call), "gateway.calls", headers={"x-api-key": key}, expiration=10, timeout=20
        )
        print(answer.headers["X-WASP-STATUS"], answer.body.decode())


asyncio.run(worker() if role == "worker" else client(*sys.argv[3:]))
