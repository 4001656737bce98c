// Opens BASE/docs in headless Chromium: it lists every method of BASE/openapi.json, and calls made from it answer; then
// all of that once more through a proxy that puts a prefix before every path.
// Fails on a request that leaves the page's origin, and on anything the browser's console calls an error.
//
// Usage: node docs-page.mjs BASE CALLS.json
//   CALLS is a list of {method, path, input, answer}: `input` has the query parameters of a GET or DELETE, else it is
//   the body; `answer` is a piece of what the page then shows. $CHROMIUM is the path of the browser.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createServer, request } from "node:http";
import { chromium } from "playwright-core";

const [base, callsFile] = process.argv.slice(2);
const calls = JSON.parse(readFileSync(callsFile));

const proxy = await prefixed("/behind/a/prefix");
const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  // In a container, as root: no sandbox, no GPU, nothing that calls home.
  args: [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
  ],
});
try {
  await look(base);
  await look(proxy.base);
} finally {
  await browser.close();
  proxy.server.close();
}

async function look(site) {
  const { origin } = new URL(site);
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  const complaints = [];
  page.on("console", (line) => {
    if (line.type() === "error") complaints.push(`console: ${line.text()}`);
  });
  page.on("pageerror", (error) => complaints.push(`exception: ${error}`));
  page.on("requestfailed", (request) => complaints.push(`failed: ${request.url()} ${request.failure()?.errorText}`));
  page.on("request", (request) => {
    const url = new URL(request.url());
    if (url.origin !== origin && url.protocol !== "data:") complaints.push(`left the gateway: ${url}`);
  });

  await page.goto(`${site}/docs`);
  const listed = await listsEveryMethod(page);
  for (const call of calls) await make(page, call);
  assert.deepEqual(complaints, [], "the browser has nothing to complain about");
  console.log(`${site}/docs lists ${listed} methods; ${calls.length} called from it answered`);
}

async function listsEveryMethod(page) {
  const { paths } = await (await fetch(`${base}/openapi.json`)).json();
  const verbs = ["get", "post", "put", "patch", "delete"];
  const described = Object.entries(paths).flatMap(([path, item]) =>
    verbs.filter((verb) => verb in item).map((verb) => `${verb.toUpperCase()} ${path}`),
  );
  assert.notEqual(described.length, 0, "the description has methods");
  await page.locator(".opblock").first().waitFor();
  const listed = await page.locator(".opblock-summary").evaluateAll((lines) =>
    lines.map((line) => {
      const verb = line.querySelector(".opblock-summary-method").textContent;
      return `${verb} ${line.querySelector("[data-path]").dataset.path}`;
    }),
  );
  assert.deepEqual(listed.sort(), described.sort(), "the page lists what the description has");
  return listed.length;
}

async function make(page, { method, path, input, answer }) {
  const block = page
    .locator(`.opblock-${method.toLowerCase()}`)
    .filter({ has: page.locator(`[data-path="${path}"]`) });
  await block.locator(".opblock-summary-control").click();
  if (["GET", "DELETE"].includes(method)) {
    for (const [name, value] of Object.entries(input)) {
      const field = block.locator(`tr[data-param-name="${name}"]`).locator("input, textarea, select").first();
      const choice = await field.evaluate((element) => element.tagName === "SELECT");
      await (choice ? field.selectOption(value) : field.fill(String(value)));
    }
  } else {
    const form = block.locator(".body-param textarea");
    const begins = await form.inputValue();
    assert.doesNotMatch(JSON.stringify(JSON.parse(begins)), /"string"/, `${method} ${path} begins with examples: ${begins}`);
    await form.fill(JSON.stringify(input));
  }
  await block.locator("button.execute").click();
  const response = block.locator(".live-responses-table .response");
  const status = (await response.locator(".response-col_status").innerText()).trim();
  const body = await response.locator(".highlight-code code").innerText();
  assert.equal(status, "200", `${method} ${path} answers 200: ${body}`);
  assert.ok(body.includes(answer), `${method} ${path} answers ${answer}: ${body}`);
}

/** A proxy in front of BASE, at a free port, that knows it under `prefix` only. */
async function prefixed(prefix) {
  const server = createServer((from, to) => {
    if (!from.url.startsWith(`${prefix}/`)) return to.writeHead(404).end();
    const options = { method: from.method, headers: from.headers };
    const onward = request(base + from.url.slice(prefix.length), options, (answer) => {
      answer.pipe(to.writeHead(answer.statusCode, answer.headers));
    });
    onward.on("error", () => to.destroy());
    from.pipe(onward);
  });
  await new Promise((listening) => server.listen(0, "127.0.0.1", listening));
  return { server, base: `http://127.0.0.1:${server.address().port}${prefix}` };
}
