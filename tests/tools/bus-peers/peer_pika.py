"""pika, as worker and as client."""

import sys
import uuid

import pika

role, url = sys.argv[1:3]
call, key = sys.argv[3:] if role == "client" else (None, None)
connection = pika.BlockingConnection(pika.URLParameters(url))
channel = connection.channel()
if role == "worker":

    def answer(channel, delivery, request, body):
        said = f"{request.headers['X-WASP-METHOD']} {delivery.routing_key} {request.headers['X-WASP-QS']}"
        headers = {"X-WASP-STATUS": 201, "x-said": said, "set-cookie": ["a=1", "b=2"]}
        answered = pika.BasicProperties(correlation_id=request.correlation_id, content_type="text/plain", headers=headers)
        channel.basic_publish("", request.reply_to, body, answered)
        channel.basic_ack(delivery.delivery_tag)

    channel.exchange_declare("peers", exchange_type="topic", durable=True)
    channel.queue_declare("peers.pika", durable=True)
    channel.queue_bind("peers.pika", "peers", routing_key="pika.#")
    channel.basic_consume("peers.pika", answer)
    print("waits for requests", flush=True)
else:

    def answered(channel, delivery, answer, body):
        print(answer.headers["X-WASP-STATUS"], body.decode())
        channel.stop_consuming()

    channel.basic_consume("amq.rabbitmq.reply-to", answered, auto_ack=True)
    properties = pika.BasicProperties(
        reply_to="amq.rabbitmq.reply-to", correlation_id="1", message_id=str(uuid.uuid4()), expiration="10000",
        headers={"x-api-key": key},
    )
    channel.basic_publish("", "gateway.calls", call.encode(), properties)
channel.start_consuming()
