// Calls the operator's API of a gateway with the client that openapi-generator made of it for TypeScript.
import assert from "node:assert/strict";
import { AdminApi, Configuration, Currency, ProblemFromJSON, ResponseError, type Problem } from "./index.js";

const [, , basePath, accessToken] = process.argv;
const admin = new AdminApi(new Configuration({ basePath, accessToken }));
const id = `typescript/${Date.now()}`;
const since = new Date("2024-02-29");

/** The problem that a call is refused with. */
async function refusal(call: Promise<unknown>): Promise<Problem> {
  const error = await call.then(() => assert.fail("it was not refused"), (error) => error);
  assert.ok(error instanceof ResponseError, error);
  return ProblemFromJSON(await error.response.json());
}

const opened = await admin.postAdminAccounts({ accountCreate: { id, plan: null }, idempotencyKey: id });
assert.deepEqual([opened.id, opened.plan, opened.balances], [id, "standard", []]);
const creditCreate = { amount: "25", currency: Currency.Usd, reference: "invoice 1" };
assert.equal((await admin.postAdminAccountsIdCredits({ id, creditCreate })).repeated, false);
assert.equal((await admin.postAdminAccountsIdCredits({ id, creditCreate })).repeated, true);
const { balances } = await admin.getAdminAccountsId({ id });
assert.deepEqual(balances, [{ currency: "USD", available: "25", held: "0" }]);
const entries = await admin.getAdminAccountsIdEntries({ id, limit: 1 });
assert.deepEqual([entries.items.map(({ kind, amount }) => [kind, amount]), entries.next], [[["credit", "25"]], null]);

const key = await admin.postAdminAccountsIdKeys({ id, newKey: { scopes: ["a", "b"] } });
assert.deepEqual([key.key.slice(0, 3), key.scopes, key.expires], ["gk_", ["a", "b"], null]);
await admin.deleteAdminAccountsIdKeysKeyId({ id, keyId: key.id });

const requests = await admin.getAdminRequests({ account: "demo", fulfilled: true, since, limit: 2 });
assert.ok(requests.items.length > 0 && requests.items.every((it) => it.status < 300 && it.at > since));
const whole = await admin.getAdminRequestsId({ id: requests.items[0].id });
assert.equal(whole.requestId, requests.items[0].requestId);

// A value of several types.
await admin.putAdminLimits({
  quotaSettings: { enabled: false, total: "100000/min", services: { currency: { rate: "5/s", concurrency: 7 } } },
});
const { limits } = await admin.getAdminLimits();
assert.deepEqual(
  [limits.total, limits.services],
  [{ rate: "100000/min", concurrency: undefined }, { currency: { rate: "5/s", concurrency: 7 } }],
);

const unknown = admin.postAdminHoldsCallSettle({ call: "0", holdResolution: { release: true } });
assert.equal((await refusal(unknown)).code, "not-found");
const stranger = new AdminApi(new Configuration({ basePath, accessToken: "another" }));
assert.equal((await refusal(stranger.getAdminProviders())).code, "unauthenticated");

console.log("TypeScript: accounts, credits, keys, requests, limits and holds answered; refusals came as problems");
