// Calls the currency example with the client that openapi-generator made of it for TypeScript.
import assert from "node:assert/strict";
import { Configuration, CurrencyApi, DayRateFromJSON, ProblemFromJSON, ResponseError, Symbol } from "./index.js";

// The example's key.
const currency = new CurrencyApi(
  new Configuration({ basePath: process.argv[2], apiKey: "gk_demo_let-me-try-it-please" }),
);
const date = new Date("2024-02-29");

const rates = await currency.currencyRates({ symbols: [Symbol.Usd, Symbol.Jpy], date });
assert.equal(rates.base, Symbol.Eur);
assert.deepEqual(rates.date, date);
assert.deepEqual([rates.rates.uSD, rates.rates.jPY, rates.rates.gBP], ["1.0826", "162.53", undefined]);

const converted = await currency.currencyConvert({ from: Symbol.Eur, to: Symbol.Usd, amount: "200.00", date });
const result: string = converted.result;
assert.equal(result, "216.52");

const history = await currency.currencyHistoryRaw(
  { symbol: Symbol.Usd, from: date },
  { headers: { accept: "application/x-ndjson" } },
);
const [first] = (await history.raw.text()).split("\n", 1);
assert.deepEqual(DayRateFromJSON(JSON.parse(first)), { date, rate: "1.0826" });

const refused = await currency.currencyConvert({ from: Symbol.Eur, to: Symbol.Usd, amount: "a lot" }).catch((error) => error);
assert.ok(refused instanceof ResponseError);
const problem = ProblemFromJSON(await refused.response.json());
assert.equal(problem.code, "invalid-request");
assert.deepEqual(problem.errors?.map((violation) => violation.pointer), ["/amount"]);

console.log("TypeScript: rates, convert and history answered; a refusal came as a problem");
