#!/usr/bin/env node
/* Counts lines and words of a file, block by block: Node.js. */
const fs = require('fs').promises
const stint = require('./stint.js')

const BLOCK = Number(process.env.BLOCK || 65536)

async function count (run) {
  const state = run.restored || { offset: 0, lines: 0, words: 0, inWord: false }
  const startedAt = state.offset
  const file = await fs.open(run.key, 'r').catch(e => { throw new stint.Fail(e.message) })
  try {
    const total = (await file.stat()).size
    const buffer = Buffer.alloc(BLOCK)
    for (;;) {
      const { bytesRead } = await file.read(buffer, 0, BLOCK, state.offset)
      if (bytesRead === 0) break
      const block = buffer.toString('latin1', 0, bytesRead)
      state.lines += block.split('\n').length - 1
      state.words += (block.match(/[^ \t\n\v\f\r]+/g) || []).length
      if (state.inWord && /^[^ \t\n\v\f\r]/.test(block)) state.words--
      state.inWord = /[^ \t\n\v\f\r]$/.test(block)
      state.offset += bytesRead
      run.progress({ done: state.offset, total })
      run.checkpoint(state)
    }
  } finally {
    await file.close()
  }
  return { lines: state.lines, words: state.words, started_at: startedAt }
}

stint.serve(count)
