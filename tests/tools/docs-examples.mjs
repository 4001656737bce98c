// What examples.js writes into the forms of /docs. Usage: node docs-examples.mjs
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";

const source = readFileSync(new URL("../../gateway-runtime/assets/docs/examples.js", import.meta.url), "utf8");
const addExamples = new Function(`${source}; return addExamples;`)();

function exampleOf(schema) {
  const spec = { components: { schemas: { It: structuredClone(schema) } } };
  addExamples(spec);
  return spec.components.schemas.It.examples?.[0];
}

for (const [schema, expected] of [
  [{ type: "string" }, "text"],
  [{ type: "string", minLength: 6, maxLength: 8 }, "text t"],
  [{ type: "string", maxLength: 2 }, "te"],
  [{ type: ["string", "null"], format: "email" }, "user@example.com"],
  [{ type: "string", format: "uri" }, "https://example.com/"],
  [{ type: "string", format: "uuid" }, "123e4567-e89b-12d3-a456-426614174000"],
  [{ type: "string", pattern: "^[A-Z]{3}$" }, "EUR"],
  [{ type: "string", pattern: "^[A-Z]{2}$" }, "DE"],
  [{ type: "string", pattern: "^-?[0-9]+(\\.[0-9]+)?$" }, "12.50"],
  [{ type: "string", pattern: "^zzz[0-9]{7}$" }, undefined],
  [{ type: "string", pattern: "(" }, undefined],
  [{ type: "integer" }, 1],
  [{ type: "integer", minimum: 18, maximum: 99 }, 18],
  [{ type: "integer", minimum: -9, maximum: -3 }, -3],
  [{ type: "integer", exclusiveMinimum: 1 }, 2],
  [{ type: "number", exclusiveMaximum: 1 }, 0],
  [{ type: "integer", minimum: 7, multipleOf: 5 }, 10],
  [{ type: "boolean" }, true],
  [{ type: "string", examples: ["own"] }, "own"],
  [{ type: "string", default: "own" }, undefined],
  [{ type: "string", enum: ["a", "b"] }, undefined],
  [{ const: "a" }, undefined],
  [{ type: "object" }, undefined],
]) {
  assert.deepEqual(exampleOf(schema), expected, JSON.stringify(schema));
}
assert.match(exampleOf({ type: "string", format: "date-time" }), /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/);

// Only what must be there is filled in, from what the schema says itself where it does.
const email = { type: "string", format: "email" };
const operation = {
  parameters: [
    { name: "to", required: true, schema: email },
    { name: "kind", required: true, schema: { enum: ["a", "b"] } },
    { name: "from", schema: email },
  ],
  requestBody: { content: { "application/json": { schema: { type: "array", items: { anyOf: [{ type: "null" }, email] } } } } },
};
addExamples({ paths: { "/send": { post: operation } } });
assert.deepEqual(operation.parameters.map((parameter) => parameter.example), ["user@example.com", "a", undefined]);
console.log("the forms of /docs begin with plausible values");
