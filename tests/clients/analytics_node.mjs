import { createRequire } from "node:module"
import { inHalves, url, writeKey } from "./protocol.mjs"

const { Analytics } = createRequire(`${process.cwd()}/`)("@segment/analytics-node")

const analytics = new Analytics({ writeKey, host: url, flushInterval: 200 })
analytics.on("error", (error) => console.error(error.code, error.reason))

await inHalves((calls) => {
  for (const { type, n, timestamp, ...ids } of calls) {
    const fields = type === "identify" || type === "group" ? { traits: { n } } : { properties: { n } }
    analytics[type]({ ...ids, ...(type === "alias" ? {} : fields), timestamp: new Date(timestamp) })
  }
})
await analytics.closeAndFlush({ timeout: 60000 })
process.exit(0)
