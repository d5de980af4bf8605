// Runs a program of ES modules in a page of headless Chromium, until stdin ends.
import { readFileSync } from "node:fs"
import { createServer } from "node:http"
import { createRequire } from "node:module"

const require = createRequire(`${process.cwd()}/`)
const { chromium } = require("playwright-core")
const bundle = readFileSync("node_modules/@segment/analytics-next/dist/umd/index.js")
// A page has no packages: what a bundler would bring in is the same package's build for pages.
const program = readFileSync(process.argv[2], "utf8").replace(/^import (.*) from .*$/m, "const $1 = AnalyticsNext")

const server = createServer((request, response) => {
  const script = request.url === "/analytics.js"
  response.writeHead(200, { "Content-Type": script ? "text/javascript" : "text/html" })
  response.end(script ? bundle : `<!doctype html><script src="/analytics.js"></script><script>${program}</script>`)
})
await new Promise((ready) => server.listen(0, "127.0.0.1", ready))
const browser = await chromium.launch({ executablePath: process.env.CHROMIUM, args: ["--no-sandbox"] })
const tab = await browser.newPage()
tab.on("pageerror", (error) => console.error(String(error)))
await tab.goto(`http://127.0.0.1:${server.address().port}/`)
process.stdin.resume().on("end", async () => {
  await browser.close()
  process.exit(0)
})
