// Calls the email example with the client that openapi-generator made of it for TypeScript.
import assert from "node:assert/strict";
import { createHmac } from "node:crypto";
import { Configuration, EmailApi, ProblemFromJSON, ResponseError, State, type Problem, type SendRequest } from "./index.js";

// The example's key.
const email = new EmailApi(new Configuration({ basePath: process.argv[2], apiKey: "gk_demo_let-me-try-it-please" }));
const message: SendRequest = {
  to: ["ada@example.org"],
  cc: ["bob@example.com"],
  subject: "Grüße",
  text: "Hello",
  html: "<p>Hello</p>",
};
const idempotencyKey = `typescript-${Date.now()}`;

/** The problem that a call is refused with. */
async function refusal(call: Promise<unknown>): Promise<Problem> {
  const error = await call.then(() => assert.fail("it was not refused"), (error) => error);
  assert.ok(error instanceof ResponseError, error);
  return ProblemFromJSON(await error.response.json());
}

const sent = await email.emailSend({ sendRequest: message, idempotencyKey });
assert.equal(sent.provider, "smtp");
assert.deepEqual(await email.emailSend({ sendRequest: message, idempotencyKey }), sent);
const other = email.emailSend({ sendRequest: { ...message, text: "Other" }, idempotencyKey });
assert.equal((await refusal(other)).code, "idempotency-mismatch");

/** Tells that it has come back, signed as Standard Webhooks has it. */
async function bounced(secret: string): Promise<void> {
  const body = { message_id: sent.messageId, reason: "550 5.1.1 user unknown" };
  const webhookTimestamp = Math.floor(Date.now() / 1000);
  const code = createHmac("sha256", secret).update(`msg_1.${webhookTimestamp}.${JSON.stringify(body)}`).digest("base64");
  await email.emailBouncedWebhook({
    webhookId: "msg_1",
    webhookTimestamp,
    webhookSignature: `v1,${code}`,
    bounced: { messageId: body.message_id, reason: body.reason },
  });
}

assert.equal((await refusal(bounced("another secret"))).status, 401);
await bounced("only for stand-ins");

const status = await email.emailStatus({ messageId: sent.messageId });
assert.equal(status.state, State.Bounced);
assert.equal(status.reason, "550 5.1.1 user unknown");

const invalid = await refusal(email.emailSend({ sendRequest: { ...message, to: ["ada"], subject: "" } }));
assert.equal(invalid.code, "invalid-request");
const places = new Set(invalid.errors?.map((violation) => violation.pointer));
assert.deepEqual([...places].sort(), ["/subject", "/to/0"]);

console.log("TypeScript: send, status and a signed webhook answered; refusals came as problems");
