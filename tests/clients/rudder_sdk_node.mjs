import { createRequire } from "node:module"
import { inHalves, url, writeKey } from "./protocol.mjs"

const Analytics = createRequire(`${process.cwd()}/`)("@rudderstack/rudder-sdk-node")

const analytics = new Analytics(writeKey, { dataPlaneUrl: url, flushInterval: 200, retryCount: 10 })

await inHalves((calls) => {
  for (const { type, n, timestamp, ...ids } of calls) {
    const fields = type === "identify" || type === "group" ? { traits: { n } } : { properties: { n } }
    analytics[type]({ ...ids, ...(type === "alias" ? {} : fields), originalTimestamp: new Date(timestamp) })
  }
})
await analytics.flush()
process.exit(0)
