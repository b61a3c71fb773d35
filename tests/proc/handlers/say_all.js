#!/usr/bin/env node
/* Says whatever its key names, by stint.js. See say_all.py. */
const stint = require('stint.js')

let open
const gate = new Promise(resolve => { open = resolve })

stint.serve(run => {
  console.log('printed, and nowhere in the protocol')
  switch (run.key) {
    case 'messages':
      run.progress({ done: 1, total: 10 })
      run.progress({ failed: 2 })
      run.checkpoint({ offset: 5 })
      run.cost({ usd: 0.5, tokens: 7, of: 'model "x"' })
      run.limit({ retry_after: '30s' })
      run.limit({ retry_after: 30, resource: 'api', key: 'host' })
      run.spawn({ key: 'x', data: { a: 1 }, job: 'other', priority: 4 })
      run.spawn({ key: 'y' })
      return run.log('two\nlines\tand "more" \\ é', 'warn')
    case 'spawns':
      run.cost({ usd: 0.25, tokens: 3 })
      return run.spawn({ key: `${run.job}-1`, job: 'other' }, { key: `${run.job}-2`, job: 'other' })
    case 'request':
      return `${run.job} ${run.stage} ${run.attempt} ${run.data.text}${run.inputs.first.n}`
    case 'restored': return run.restored
    case 'fail': throw new stint.Fail('no such page')
    case 'skip': throw new stint.Skip('not needed')
    case 'retry': throw new stint.Retry('HTTP 503', '30s')
    case 'retry-now': throw new stint.Retry('again')
    case 'snooze': throw new stint.Snooze('not yet', 600)
    case 'wait': throw new stint.Wait([{ job: 'o', key: 'k' }], 'continue')
    case 'waits': return gate
    case 'lets': return open()
    case 'crash': throw new Error('bad luck')
  }
}, { version: '1.5' })
