// rabbitmq-client, as worker and as client. It decodes bodies of JSON and of text by their media type.
import { randomUUID } from "node:crypto";
import { Connection } from "rabbitmq-client";

const [role, url, call, key] = process.argv.slice(2);
const connection = new Connection(url);
if (role === "worker") {
    const consumer = connection.createConsumer({
        queue: "peers.rabbitmq_client", queueOptions: { durable: true },
        exchanges: [{ exchange: "peers", type: "topic", durable: true }],
        queueBindings: [{ exchange: "peers", routingKey: "rabbitmq_client.#" }],
    }, async (request, reply) => {
        const said = `${request.headers["X-WASP-METHOD"]} ${request.routingKey} ${request.headers["X-WASP-QS"]}`;
        const headers = { "X-WASP-STATUS": 201, "x-said": said, "set-cookie": ["a=1", "b=2"] };
        await reply(request.body, { contentType: "text/plain", headers });
    });
    consumer.on("ready", () => console.log("waits for requests"));
} else {
    const client = connection.createRPCClient({ confirm: true });
    const answer = await client.send({
        routingKey: "gateway.calls", messageId: randomUUID(), expiration: "10000", headers: { "x-api-key": key },
    }, JSON.parse(call));
    console.log(answer.headers["X-WASP-STATUS"], typeof answer.body === "string" ? answer.body : JSON.stringify(answer.body));
    await client.close();
    await connection.close();
}
