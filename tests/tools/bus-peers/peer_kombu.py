"""kombu, as worker and as client. It decodes bodies by their media type; with `on_message` it hands them over raw."""

import sys
import uuid

from kombu import Connection, Consumer, Exchange, Queue

role, url = sys.argv[1], sys.argv[2].replace("/%2f", "//")
call, key = sys.argv[3:] if role == "client" else (None, None)

with Connection(url) as connection:
    channel = connection.channel()
    if role == "worker":
        producer = connection.Producer()

        def answer(request):
            said = f"{request.headers['X-WASP-METHOD']} {request.delivery_info['routing_key']} {request.headers['X-WASP-QS']}"
            headers = {"X-WASP-STATUS": 201, "x-said": said, "set-cookie": ["a=1", "b=2"]}
            producer.publish(
                request.body, exchange="", routing_key=request.properties["reply_to"], headers=headers,
                correlation_id=request.properties["correlation_id"], content_type="text/plain", content_encoding="binary",
            )
            request.ack()

        queue = Queue("peers.kombu", Exchange("peers", type="topic"), routing_key="kombu.#")
        with Consumer(channel, [queue], on_message=answer):
            print("waits for requests", flush=True)
            while True:
                connection.drain_events()

    answers = []
    replies = Queue("amq.rabbitmq.reply-to", no_declare=True)
    with Consumer(channel, [replies], on_message=answers.append, no_ack=True):
        connection.Producer(channel).publish(
            call.encode(), exchange="", routing_key="gateway.calls", reply_to="amq.rabbitmq.reply-to",
            correlation_id="1", message_id=str(uuid.uuid4()), expiration=10, headers={"x-api-key": key},
            content_type="application/json", content_encoding="utf-8",
        )
        while not answers:
            connection.drain_events(timeout=20)
    body = answers[0].body
    print(answers[0].headers["X-WASP-STATUS"], body if isinstance(body, str) else bytes(body).decode())
