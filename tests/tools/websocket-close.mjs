// Opens WebSockets of a gateway from a page in headless Chromium, and closes them from either side: each ends cleanly, with the code
// that was sent, also while messages are on their way.
//
// Usage: node websocket-close.mjs BASE
//   $CHROMIUM is the path of the browser.
import assert from "node:assert/strict";
import { chromium } from "playwright-core";

const [base] = process.argv.slice(2);
const call = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "none" });

// What is sent before the Close; its arguments, or none if the gateway closes; the code and reason that the page then sees.
const cases = [
  { close: [], code: 1005, reason: "" },
  { close: [1000], code: 1000, reason: "" },
  { close: [1000, "ich gehe \u{1f44b}"], code: 1000, reason: "ich gehe \u{1f44b}" },
  { close: [3000, "done"], code: 3000, reason: "done" },
  { close: [4999, "x".repeat(123)], code: 4999, reason: "x".repeat(123) },
  { send: Array(100).fill(call), close: [4000, "busy"], code: 4000, reason: "busy" },
  // For a browser an end is not clean by which some of what it was to send was not sent.
  { send: ["x".repeat(2 << 20)], code: 1009, reason: "the message is too long", unsent: true },
  { send: [[1, 2, 3]], code: 1003, reason: "binary messages are not supported; send text" },
];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM,
  // As in docs-page.mjs.
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
  const page = await browser.newPage();
  page.setDefaultTimeout(20_000);
  // A page of the gateway's own origin; which one does not matter, but it must come from there.
  await page.goto(`${base}/docs`);
  for (const one of cases) {
    const { wasClean, ...end } = await page.evaluate(closed, one);
    const name = JSON.stringify(one).slice(0, 100);
    assert.deepEqual(end, { code: one.code, reason: one.reason }, name);
    assert.ok(wasClean || one.unsent, name);
  }
  console.log(`${cases.length} WebSockets were closed, and each ended cleanly`);
} finally {
  await browser.close();
}

/** In the page: opens, sends, perhaps closes, and tells how it ended. */
function closed({ send = [], close }) {
  return new Promise((resolve, reject) => {
    const socket = new WebSocket(new URL("/services/_ws", location.href.replace("http", "ws")));
    setTimeout(() => reject(new Error("it did not end")), 10_000);
    socket.onopen = () => {
      for (const message of send) socket.send(typeof message === "string" ? message : new Uint8Array(message));
      if (close) socket.close(...close);
    };
    socket.onclose = ({ code, reason, wasClean }) => resolve({ code, reason, wasClean });
  });
}
