// What every client here does alike: make half of the calls, wait, make the others, wait, end.
import { readFileSync } from "node:fs"
import { createInterface } from "node:readline"

export const { ISTHMUS: url, WRITE_KEY: writeKey } = process.env
export const calls = JSON.parse(readFileSync(process.env.CALLS, "utf8"))
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]()

/** Say what is done, and go on when the test says so. */
export async function tell(word) {
  console.log(word)
  await lines.next()
}

export async function inHalves(make) {
  const half = calls.length / 2
  await make(calls.slice(0, half))
  await tell("half")
  await make(calls.slice(half))
  await tell("sent")
}
