"""aio-pika, as worker and as client."""

import asyncio
import sys
import uuid

import aio_pika

role, url = sys.argv[1:3]


async def worker(channel):
    exchange = await channel.declare_exchange("peers", "topic", durable=True)
    queue = await channel.declare_queue("peers.aio_pika", durable=True)
    await queue.bind(exchange, "aio_pika.#")

    async def answer(request):
        async with request.process():
            said = f"{request.headers['X-WASP-METHOD']} {request.routing_key} {request.headers['X-WASP-QS']}"
            headers = {"X-WASP-STATUS": 201, "x-said": said, "set-cookie": ["a=1", "b=2"]}
            answered = aio_pika.Message(
                request.body, correlation_id=request.correlation_id, content_type="text/plain", headers=headers
            )
            await channel.default_exchange.publish(answered, routing_key=request.reply_to)

    await queue.consume(answer)
    print("waits for requests", flush=True)
    await asyncio.Future()


async def client(channel, call, key):
    answered = asyncio.get_running_loop().create_future()
    replies = await channel.get_queue("amq.rabbitmq.reply-to", ensure=False)
    await replies.consume(answered.set_result, no_ack=True)
    message = aio_pika.Message(
        call.encode(), reply_to="amq.rabbitmq.reply-to", correlation_id="1", message_id=str(uuid.uuid4()), expiration=10,
        headers={"x-api-key": key},
    )
    await channel.default_exchange.publish(message, routing_key="gateway.calls")
    answer = await asyncio.wait_for(answered, 20)
    print(answer.headers["X-WASP-STATUS"], answer.body.decode())


async def main():
    connection = await aio_pika.connect(url)
    async with connection:
        channel = await connection.channel()
        await (worker(channel) if role == "worker" else client(channel, *sys.argv[3:]))


asyncio.run(main())
