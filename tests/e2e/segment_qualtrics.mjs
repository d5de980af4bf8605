// Segment's published Qualtrics destination against an API of ours: {url, settings, steps} on standard input, one
// answer a line on standard output. Only its client's buildUrl is replaced, which names Qualtrics' host.
//   {"authenticate": true}                    -> {"ok"} or {"error"}
//   {"choices": "directoryId", "of": ACTION}  -> {"ok": {choices, error?}}
//   {"event", "action", "mapping"}            -> {"ok": [results]} or {"error"}; what `mapping` leaves out is the
//                                                action's own default, as Segment fills in the form
// A step may bring `settings` of its own. Every answer also has `called`: the path of each request.
// Run in a folder that has the packages (support/segment_packages.py).
import { createRequire } from 'node:module'
import fs from 'node:fs'
import path from 'node:path'

const require = createRequire(path.join(process.cwd(), 'noop.js'))
const { Destination } = require('@segment/actions-core')
const folder = path.join(process.cwd(), 'node_modules/@segment/action-destinations/dist/destinations/qualtrics')
const definition = require(folder).default
const Client = require(path.join(folder, 'qualtricsApiClient.js')).default
for (const name of ['log', 'warn', 'error']) console[name] = () => {}

const { url, settings, steps } = JSON.parse(fs.readFileSync(0, 'utf8'))
let called = []
Client.prototype.buildUrl = (endpoint) => {
  called.push(endpoint)
  return `${url}${endpoint}`
}
const destination = new Destination(definition)

function mapped({ action, mapping }) {
  const fields = Object.entries(definition.actions[action].fields)
  const defaults = fields.filter(([, field]) => field.default !== undefined).map(([name, field]) => [name, field.default])
  return { ...Object.fromEntries(defaults), ...mapping }
}

async function answer(step) {
  const ours = { ...settings, ...step.settings }
  if (step.authenticate) return (await destination.testAuthentication(ours)) ?? true
  if (step.choices) return destination.executeDynamicField(step.of, step.choices, { settings: ours, payload: {} })
  const subscription = { partnerAction: step.action, subscribe: 'type != ""', mapping: mapped(step) }
  return destination.onEvent(step.event, { ...ours, subscriptions: [subscription] })
}

for (const step of steps) {
  called = []
  let line
  try {
    line = { ok: await answer(step) }
  } catch (error) {
    const body = error.response?.data
    line = { error: { name: error.name, message: error.message, code: error.code, status: error.status, body } }
  }
  fs.writeSync(1, JSON.stringify({ ...line, called }) + '\n')
}
