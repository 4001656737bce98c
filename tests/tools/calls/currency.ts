// Calls the currency example with openapi-fetch and the types that openapi-typescript made of it.
import assert from "node:assert/strict";
import createClient from "openapi-fetch";
import type { paths } from "./schema.js";

const client = createClient<paths>({ baseUrl: process.argv[2] });
const date = "2024-02-29";

const rates = await client.GET("/services/currency/v1/rates", {
  params: { query: { symbols: ["USD", "JPY"], date } },
});
assert.equal(rates.data?.base, "EUR");
assert.deepEqual(rates.data?.rates, { USD: "1.0826", JPY: "162.53" });

const converted = await client.GET("/services/currency/v1/convert", {
  params: { query: { from: "EUR", to: "USD", amount: "200.00", date } },
});
const result: string | undefined = converted.data?.result;
assert.equal(result, "216.52");

const history = await client.GET("/services/currency/v1/history", {
  params: { query: { symbol: "USD", from: date } },
  headers: { accept: "application/x-ndjson" },
  parseAs: "text",
});
const [first] = String(history.data).split("\n", 1);
assert.deepEqual(JSON.parse(first), { date, rate: "1.0826" });

const refused = await client.GET("/services/currency/v1/convert", {
  params: { query: { from: "EUR", to: "USD", amount: "a lot" } },
});
assert.equal(refused.error?.code, "invalid-request");
assert.deepEqual(refused.error?.errors?.map((violation) => violation.pointer), ["/amount"]);

console.log("rates, convert and history answered; a refusal came as a problem");
