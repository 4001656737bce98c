// What the forms of the page begin with, where a schema has no example, default or choice of its own: a plausible value by
// format, pattern and limits, where Swagger UI would write "string", 0 or a random text.
const FORMATS = {
  date: () => new Date().toISOString().slice(0, 10),
  "date-time": () => `${new Date().toISOString().slice(0, 19)}Z`,
  time: () => "12:00:00Z",
  duration: () => "PT1H",
  email: () => "user@example.com",
  hostname: () => "example.com",
  ipv4: () => "192.0.2.1",
  ipv6: () => "2001:db8::1",
  uri: () => "https://example.com/",
  url: () => "https://example.com/",
  "uri-reference": () => "/example",
  uuid: () => "123e4567-e89b-12d3-a456-426614174000",
};

// Tried in this order against a pattern: currencies, countries, languages, amounts, names, and the like.
const TEXTS = [
  "EUR", "DE", "de", "en-US", "12.50", "1", "text", "Text", "TEXT", "a", "A", "abc-123", "abc_123", "2026-01-31",
  "+491701234567", "user@example.com", "https://example.com/", "example.com", "192.0.2.1", "#336699", "12:00",
];

function plausibleText({ format, pattern, minLength = 0, maxLength = Infinity }) {
  const fits = (text) => text.length >= minLength && text.length <= maxLength;
  if (pattern !== undefined) {
    let matches;
    try {
      matches = new RegExp(pattern, "u");
    } catch {
      return undefined;
    }
    const made = format in FORMATS ? [FORMATS[format]()] : [];
    return [...made, ...TEXTS].find((text) => fits(text) && matches.test(text));
  }
  if (format in FORMATS) return FORMATS[format]();
  return "text".padEnd(Math.min(minLength, 1000), " text").slice(0, maxLength);
}

function plausibleNumber({ minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf = 1 }) {
  const least = Math.max(minimum ?? -Infinity, exclusiveMinimum === undefined ? -Infinity : exclusiveMinimum + multipleOf);
  const most = Math.min(maximum ?? Infinity, exclusiveMaximum === undefined ? Infinity : exclusiveMaximum - multipleOf);
  const wanted = Math.min(Math.max(multipleOf, least), most);
  const rounded = Math.ceil(wanted / multipleOf) * multipleOf;
  return rounded <= most ? rounded : Math.floor(most / multipleOf) * multipleOf;
}

function plausible(schema) {
  const type = [schema.type].flat().find((name) => name !== "null");
  switch (type) {
    case "string":
      return plausibleText(schema);
    case "integer":
    case "number":
      return plausibleNumber(schema);
    case "boolean":
      return true;
  }
}

// The value that a schema itself names, if it names one.
function named(schema) {
  return schema.example ?? schema.examples?.[0] ?? schema.default ?? schema.const ?? schema.enum?.[0];
}

function addToSchema(schema) {
  if (schema === null || typeof schema !== "object") return;
  if (Array.isArray(schema)) return schema.forEach(addToSchema);
  for (const key of ["items", "prefixItems", "anyOf", "oneOf", "allOf", "additionalProperties"]) addToSchema(schema[key]);
  for (const key of ["properties", "$defs"]) Object.values(schema[key] ?? {}).forEach(addToSchema);
  if (named(schema) !== undefined) return;
  const value = plausible(schema);
  if (value !== undefined) schema.examples = [value];
}

// Adds them to a description. Of parameters only those that must be there are filled in: others would change the call.
function addExamples(spec) {
  Object.values(spec.components?.schemas ?? {}).forEach(addToSchema);
  for (const operation of Object.values(spec.paths ?? {}).flatMap((path) => Object.values(path))) {
    for (const content of Object.values(operation.requestBody?.content ?? {})) addToSchema(content.schema);
    for (const parameter of operation.parameters ?? []) {
      if (!parameter.required || !parameter.schema) continue;
      const value = named(parameter.schema) ?? plausible(parameter.schema);
      if (value !== undefined) parameter.example ??= value;
    }
  }
}
