// BASE/asyncapi.json is a valid AsyncAPI 3.0 document, says @asyncapi/parser: no errors, no warnings.
// Its hints (governance advice, such as "add a licence") are shown and pass.
//
// Usage: node asyncapi-parser.mjs BASE
import { DiagnosticSeverity, Parser } from "@asyncapi/parser/cjs/index.js";

const url = `${process.argv[2]}/asyncapi.json`;
const response = await fetch(url);
if (!response.ok) throw new Error(`${url} answered ${response.status}`);

const { document, diagnostics } = await new Parser().parse(await response.text(), { source: url });
for (const { severity, code, message, path } of diagnostics) {
  console.log(`${DiagnosticSeverity[severity]} ${code} at /${path.join("/")}: ${message}`);
}
const failures = diagnostics.filter(({ severity }) => severity <= DiagnosticSeverity.Warning);
if (!document || failures.length > 0) {
  console.log(`${url}: ${failures.length} errors and warnings`);
  process.exit(1);
}
const operations = document.allOperations().all();
console.log(`${url}: AsyncAPI ${document.version()}, ${operations.length} operations, valid`);
if (operations.length === 0) process.exit(1);
