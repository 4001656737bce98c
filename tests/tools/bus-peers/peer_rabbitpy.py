"""rabbitpy, as worker and as client."""

import sys
import uuid

import rabbitpy

role, url = sys.argv[1:3]
call, key = sys.argv[3:] if role == "client" else (None, None)


def text(value):
    return value.decode() if isinstance(value, bytes) else value


def field(message, name):
    headers = {text(field): value for field, value in message.properties["headers"].items()}
    return text(headers[name])


with rabbitpy.Connection(url) as connection, connection.channel() as channel:
    if role == "worker":
        exchange = rabbitpy.Exchange(channel, "peers", "topic", durable=True)
        exchange.declare()
        queue = rabbitpy.Queue(channel, "peers.rabbitpy", durable=True)
        queue.declare()
        queue.bind(exchange, "rabbitpy.#")
        print("waits for requests", flush=True)
        for request in queue.consume():
            said = f"{field(request, 'X-WASP-METHOD')} {text(request.routing_key)} {field(request, 'X-WASP-QS')}"
            headers = {"X-WASP-STATUS": 201, "x-said": said, "set-cookie": ["a=1", "b=2"]}
            properties = {
                "correlation_id": text(request.properties["correlation_id"]), "content_type": "text/plain",
                "headers": headers,
            }
            answer = rabbitpy.Message(channel, request.body, properties)
            answer.publish("", text(request.properties["reply_to"]))
            request.ack()

    # It wants a queue of its own for answers.
    replies = rabbitpy.Queue(channel, exclusive=True)
    replies.declare()
    properties = {
        "reply_to": text(replies.name), "correlation_id": "1", "message_id": str(uuid.uuid4()), "expiration": "10000",
        "headers": {"x-api-key": key},
    }
    rabbitpy.Message(channel, call, properties).publish("", "gateway.calls")
    for answer in replies.consume(no_ack=True):
        print(field(answer, "X-WASP-STATUS"), text(answer.body))
        break
