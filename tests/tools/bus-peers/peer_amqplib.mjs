// amqplib, as worker and as client.
import { randomUUID } from "node:crypto";
import amqp from "amqplib";

const [role, url, call, key] = process.argv.slice(2);
const connection = await amqp.connect(url);
const channel = await connection.createChannel();
if (role === "worker") {
    await channel.assertExchange("peers", "topic", { durable: true });
    await channel.assertQueue("peers.amqplib", { durable: true });
    await channel.bindQueue("peers.amqplib", "peers", "amqplib.#");
    await channel.consume("peers.amqplib", (request) => {
        const { headers: sent, replyTo, correlationId } = request.properties;
        const said = `${sent["X-WASP-METHOD"]} ${request.fields.routingKey} ${sent["X-WASP-QS"]}`;
        const headers = { "X-WASP-STATUS": 201, "x-said": said, "set-cookie": ["a=1", "b=2"] };
        channel.sendToQueue(replyTo, request.content, { correlationId, contentType: "text/plain", headers });
        channel.ack(request);
    });
    console.log("waits for requests");
} else {
    const answered = new Promise((resolve) => channel.consume("amq.rabbitmq.reply-to", resolve, { noAck: true }));
    channel.sendToQueue("gateway.calls", Buffer.from(call), {
        replyTo: "amq.rabbitmq.reply-to", correlationId: "1", messageId: randomUUID(), expiration: 10000,
        headers: { "x-api-key": key },
    });
    const answer = await answered;
    console.log(answer.properties.headers["X-WASP-STATUS"], answer.content.toString());
    await connection.close();
}
