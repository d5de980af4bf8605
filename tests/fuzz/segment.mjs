// Segment's own engine as an oracle: JSON lines on standard input, one answer a line on standard output.
//   {"filter", "event"}  -> {"match"} or {"error"}     {"mapping", "event"} -> {"output"}, {"undefined"} or {"error"}
// Run in a folder that has the packages (support/segment_packages.py).
import { createRequire } from 'node:module'
import fs from 'node:fs'
import path from 'node:path'

const require = createRequire(path.join(process.cwd(), 'noop.js'))
const { parseFql, validate } = require('@segment/destination-subscriptions')
const { transform } = require('@segment/actions-core/mapping-kit')
for (const name of ['log', 'warn', 'error']) console[name] = () => {}

function verdict({ filter, event }) {
  let parsed
  try {
    parsed = parseFql(filter)
  } catch {
    return { error: true }
  }
  if (parsed.error) return { error: true }
  try {
    return { match: validate(parsed, event) }
  } catch {
    return { match: false } // the destination's runtime takes a thrown error for no match
  }
}

function mapped({ mapping, event }) {
  try {
    const output = transform(mapping, event)
    return output === undefined ? { undefined: true } : { output }
  } catch {
    return { error: true }
  }
}

const answers = fs.readFileSync(0, 'utf8').split('\n').filter(Boolean).map(JSON.parse)
  .map((one) => JSON.stringify('filter' in one ? verdict(one) : mapped(one)))
fs.writeSync(1, answers.join('\n') + '\n')
