/* stint: what a handler needs, in one file, with nothing but Node.js itself (14 or newer).
 * The same program serves `handler = exec ./count.js` and `handler = resident ./count.js`:
 *
 *   const stint = require('./stint.js')
 *   stint.serve(async run => {
 *     run.progress({ total: 1 })
 *     const text = await require('fs').promises.readFile(run.key, 'utf8')
 *     return { words: text.split(/\s+/).filter(w => w).length } // the result
 *   }, { version: '1' })
 *
 * An async function works on many at once (`concurrency = N`). Instead of returning, it may throw
 * new stint.Retry(why, '30s'), Snooze(why, 600), Fail(why), Skip(why) or Wait(items); any other
 * error is a Retry, and goes to standard error. When a run is cancelled, run.signal (AbortSignal)
 * fires, it is answered, and what it still says is dropped. Of a batch the function is called once
 * for each item; with { batch: true } it gets the array of them, and returns an array of results
 * (or of such errors). console.log never harms the protocol. */
'use strict'
const fs = require('fs')
const readline = require('readline')

let out = 1 // where messages go

function say (message) {
  let rest = Buffer.from(JSON.stringify(message) + '\n')
  while (rest.length > 0) {
    try {
      rest = rest.subarray(fs.writeSync(out, rest))
    } catch (e) {
      if (e.code !== 'EAGAIN') throw e
    }
  }
}

class Outcome extends Error {
  constructor (why = '', after = undefined) {
    super(why)
    this.members = { why: String(why), after }
  }
}
class Retry extends Outcome {} // failed now, may work later; counts as an attempt
class Snooze extends Outcome {} // not yet; does not count
class Fail extends Outcome {} // failed for good
class Skip extends Outcome {} // not needed
class Wait extends Outcome { // these items, {key, job, data} each, are added; again after 30 s
  constructor (items, onFailure = 'fail') {
    super()
    this.members = { items, on_failure: onFailure }
  }
}

/* One attempt; the members of its request are its own: key, data, attempt, inputs … */
class Run {
  #abort = new AbortController()
  #about
  #isOver = false

  constructor (request, item) {
    const { checkpoint, ...members } = { ...request, ...item }
    Object.assign(this, { data: {}, inputs: {}, waited: [], attempt: 1 }, members)
    this.restored = checkpoint // what the checkpoint said last held; null: there is none
    this.#about = { id: request.id, key: item ? item.key : undefined }
    this.signal = this.#abort.signal
  }

  #say (type, members) {
    if (!this.#isOver) say({ type, ...this.#about, ...members })
  }

  /* { done, failed, total }; { usd, tokens, of }; { resource, key, retry_after } */
  progress (counts) { this.#say('progress', counts) }
  checkpoint (data) { this.#say('checkpoint', { data: data === undefined ? null : data }) }
  cost (amounts) { this.#say('cost', amounts) }
  limit (hold) { this.#say('limit', { ...hold, key: hold.key }) } // its key is not the item's
  log (text, level = 'info') { this.#say('log', { level, text: String(text) }) }

  /* Any number of { key, data, job, priority }. */
  spawn (...items) {
    for (let i = 0; i < items.length; i += 1000) {
      this.#say('spawn', { items: items.slice(i, i + 1000) })
    }
  }

  cancel () {
    this.#abort.abort()
    this.end(new Retry('cancelled'))
  }

  /* The outcome: a result, or an error; serve() calls it. */
  end (result) {
    if (result instanceof Outcome) {
      this.#say(result.constructor.name.toLowerCase(), result.members)
    } else if (result instanceof Error) {
      if (!this.#isOver) console.error(result)
      this.#say('retry', { why: String(result).slice(0, 2000) })
    } else {
      try {
        this.#say('done', { result: result === undefined ? null : result })
      } catch (e) {
        this.#say('fail', { why: `the result cannot be written as JSON: ${e.message}` })
      }
    }
    this.#isOver = true
  }
}

async function call (handler, runs, isBatch) {
  let results
  try {
    const made = await handler(isBatch ? runs : runs[0])
    results = isBatch ? [...made] : [made]
    if (results.length !== runs.length) {
      throw new Fail(`the handler made ${results.length} results of ${runs.length} items`)
    }
  } catch (e) {
    const error = e instanceof Error ? e : new Error(String(e))
    results = runs.map(() => error)
  }
  runs.forEach((run, i) => run.end(results[i]))
}

/* Answers what stint asks until it asks no more. */
function serve (handler, { version, batch = false } = {}) {
  const inFlight = new Map() // id → { runs, promise }
  const control = process.env.STINT_CONTROL_FD
  if (control) {
    out = Number(control)
  } else {
    Object.defineProperty(process, 'stdout', { get: () => process.stderr })
    say({ type: 'hello', protocol: 1, version })
  }
  const input = readline.createInterface({ input: process.stdin })
  input.on('line', line => {
    const request = JSON.parse(line)
    if (request.type === 'cancel' && inFlight.has(request.id)) {
      inFlight.get(request.id).runs.forEach(run => run.cancel())
    }
    if (request.type !== 'run') return
    const runs = (request.items || [undefined]).map(item => new Run(request, item))
    const parts = batch ? [runs] : runs.map(run => [run])
    const promise = Promise.all(parts.map(part => call(handler, part, batch)))
    inFlight.set(request.id, { runs, promise })
    promise.then(() => inFlight.delete(request.id))
  })
  input.on('close', () => {
    Promise.all([...inFlight.values()].map(x => x.promise)).then(() => process.exit())
  })
}

module.exports = { serve, Outcome, Retry, Snooze, Fail, Skip, Wait }
