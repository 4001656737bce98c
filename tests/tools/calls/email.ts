// Calls the email example with openapi-fetch and the types that openapi-typescript made of it.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import createClient from "openapi-fetch";
import type { components, paths } from "./schema.js";

const client = createClient<paths>({ baseUrl: process.argv[2] });
const message: components["schemas"]["SendRequest"] = {
  to: ["ada@example.org"],
  cc: ["bob@example.com"],
  subject: "Grüße",
  text: "Hello",
  html: "<p>Hello</p>",
};

const sent = await client.POST("/services/email/v1/send", { body: message });
assert.equal(sent.data?.provider, "smtp");
const message_id: string = sent.data?.message_id ?? "";

/** Tells that it has come back, signed as Standard Webhooks has it; the status of the answer. */
async function bounced(secret: string): Promise<number> {
  const body = { message_id, reason: "550 5.1.1 user unknown" };
  const now = Math.floor(Date.now() / 1000);
  const code = createHmac("sha256", secret).update(`msg_1.${now}.${JSON.stringify(body)}`).digest("base64");
  const header = { "webhook-id": "msg_1", "webhook-timestamp": now, "webhook-signature": `v1,${code}` };
  const { response } = await client.POST("/services/_webhooks/email/v1/bounced", { params: { header }, body });
  return response.status;
}

assert.equal(await bounced("another secret"), 401);
assert.equal(await bounced("only for stand-ins"), 204);

const status = await client.GET("/services/email/v1/status", { params: { query: { message_id } } });
assert.equal(status.data?.state, "bounced");
assert.equal(status.data?.reason, "550 5.1.1 user unknown");

const refused = await client.POST("/services/email/v1/send", { body: { ...message, to: ["ada"], subject: "" } });
assert.equal(refused.error?.code, "invalid-request");
const places = new Set(refused.error?.errors?.map((violation) => violation.pointer));
assert.deepEqual([...places].sort(), ["/subject", "/to/0"]);

console.log("send, status and a signed webhook answered; a refusal came as a problem");
