"""AMQPStorm, as worker and as client."""

import sys
import uuid

import amqpstorm

role, url = sys.argv[1:3]
call, key = sys.argv[3:] if role == "client" else (None, None)

with amqpstorm.UriConnection(url) as connection, connection.channel() as channel:
    if role == "worker":

        def answer(request):
            sent = request.properties
            said = f"{sent['headers']['X-WASP-METHOD']} {request.method['routing_key']} {sent['headers']['X-WASP-QS']}"
            headers = {"X-WASP-STATUS": 201, "x-said": said, "set-cookie": ["a=1", "b=2"]}
            properties = {"correlation_id": request.correlation_id, "content_type": "text/plain", "headers": headers}
            channel.basic.publish(request.body, request.reply_to, "", properties)
            request.ack()

        channel.exchange.declare("peers", "topic", durable=True)
        channel.queue.declare("peers.amqpstorm", durable=True)
        channel.queue.bind("peers.amqpstorm", "peers", "amqpstorm.#")
        channel.basic.consume(answer, "peers.amqpstorm")
        print("waits for requests", flush=True)
        channel.start_consuming()

    def answered(answer):
        print(answer.properties["headers"]["X-WASP-STATUS"], answer.body)
        channel.stop_consuming()

    channel.basic.consume(answered, "amq.rabbitmq.reply-to", no_ack=True)
    properties = {
        "reply_to": "amq.rabbitmq.reply-to", "correlation_id": "1", "message_id": str(uuid.uuid4()),
        "expiration": "10000", "headers": {"x-api-key": key},
    }
    channel.basic.publish(call, "gateway.calls", "", properties)
    channel.start_consuming()
