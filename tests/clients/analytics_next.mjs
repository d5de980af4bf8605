// @segment/analytics-next in headless Chromium: a page of another origin than Isthmus, or of the same.
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { createRequire } from "node:module"
import { calls, tell, url, writeKey } from "./protocol.mjs"

const require = createRequire(`${process.cwd()}/`)
const { chromium } = require("playwright-core")
const bundle = readFileSync("node_modules/@segment/analytics-next/dist/umd/index.js")

const page = `<!doctype html><meta charset="utf-8"><title>A page</title>
<script src="/analytics.js"></script>
<script>
  window.analytics = AnalyticsNext.AnalyticsBrowser.load({ writeKey: "${writeKey}", cdnURL: "${url}" })
</script>`
const server = createServer((request, response) => {
  const script = request.url === "/analytics.js"
  response.writeHead(200, { "Content-Type": script ? "text/javascript" : "text/html" })
  response.end(script ? bundle : page)
})
await new Promise((ready) => server.listen(0, "127.0.0.1", ready))

const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] })
const tab = await browser.newPage()
const wrong = []
tab.on("pageerror", (error) => wrong.push(String(error)))
if (process.env.SAME_ORIGIN) {
  await tab.route(`${url}/page`, (route) => route.fulfill({ contentType: "text/html", body: page }))
  await tab.route(`${url}/analytics.js`, (route) => route.fulfill({ contentType: "text/javascript", body: bundle }))
  await tab.goto(`${url}/page`)
} else {
  await tab.goto(`http://127.0.0.1:${server.address().port}/`)
}

async function make(some) {
  await tab.evaluate(async (some) => {
    for (const { type, n, timestamp, ...ids } of some) {
      const options = { timestamp: new Date(timestamp) }
      switch (type) {
        case "identify": await analytics.identify(ids.userId, { n }, options); break
        case "track": await analytics.track(ids.event, { n }, options); break
        case "group": await analytics.group(ids.groupId, { n }, options); break
        case "alias": await analytics.alias(ids.userId, ids.previousId, options); break
        default: await analytics[type](ids.category, ids.name, { n }, options)
      }
    }
  }, some)
}

// A call returns when it was sent, or failed and waits to be sent again: the first half must be through by then.
const half = calls.length / 2
await make(calls.slice(0, half))
await tell("half")
const rest = make(calls.slice(half)).catch((error) => wrong.push(String(error)))
await tell("sent")
await rest
await browser.close()
server.close()
if (wrong.length) {
  console.error(wrong.join("\n"))
  process.exit(1)
}
process.exit(0)
