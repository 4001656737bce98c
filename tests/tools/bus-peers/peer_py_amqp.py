"""py-amqp, as worker and as client."""

import sys
import uuid
from urllib.parse import urlsplit

import amqp

role, url = sys.argv[1], urlsplit(sys.argv[2])
call, key = sys.argv[3:] if role == "client" else (None, None)

with amqp.Connection(f"{url.hostname}:{url.port}", url.username, url.password, virtual_host="/") as connection:
    channel = connection.channel()
    if role == "worker":

        def answer(request):
            said = f"{request.headers['X-WASP-METHOD']} {request.delivery_info['routing_key']} {request.headers['X-WASP-QS']}"
            headers = {"X-WASP-STATUS": 201, "x-said": said, "set-cookie": ["a=1", "b=2"]}
            answered = amqp.Message(
                request.body, correlation_id=request.correlation_id, content_type="text/plain", application_headers=headers
            )
            channel.basic_publish(answered, "", request.reply_to)
            channel.basic_ack(request.delivery_tag)

        channel.exchange_declare("peers", "topic", durable=True, auto_delete=False)
        channel.queue_declare("peers.py_amqp", durable=True, auto_delete=False)
        channel.queue_bind("peers.py_amqp", "peers", "py_amqp.#")
        channel.basic_consume("peers.py_amqp", callback=answer)
        print("waits for requests", flush=True)
        while True:
            connection.drain_events()

    answers = []
    channel.basic_consume("amq.rabbitmq.reply-to", no_ack=True, callback=answers.append)
    message = amqp.Message(
        call.encode(), reply_to="amq.rabbitmq.reply-to", correlation_id="1", message_id=str(uuid.uuid4()),
        expiration="10000", application_headers={"x-api-key": key},
    )
    channel.basic_publish(message, "", "gateway.calls")
    while not answers:
        connection.drain_events(timeout=20)
    body = answers[0].body
    print(answers[0].headers["X-WASP-STATUS"], body if isinstance(body, str) else bytes(body).decode())
