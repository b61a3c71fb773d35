#!/usr/bin/env python3
"""The same for many files at once: Python's asyncio, for `concurrency = N`."""
import asyncio
import os

import stint

BLOCK = int(os.environ.get("BLOCK", 65536))
BLANKS = b" \t\n\v\f\r"


def read(name, offset):
    """What takes long and cannot be awaited goes to a thread."""
    with open(name, "rb") as f:
        f.seek(offset)
        return f.read(BLOCK)


async def count(run):
    state = run.restored or {"offset": 0, "lines": 0, "words": 0, "in_word": False}
    started_at = state["offset"]
    if not os.path.exists(run.key):
        raise stint.Fail("there is no such file")
    while block := await asyncio.to_thread(read, run.key, state["offset"]):
        state["lines"] += block.count(b"\n")
        state["words"] += len(block.split()) - (state["in_word"] and block[0] not in BLANKS)
        state["in_word"] = block[-1] not in BLANKS
        state["offset"] += len(block)
        run.progress(done=state["offset"], total=os.path.getsize(run.key))
        run.checkpoint(state)
    return {"lines": state["lines"], "words": state["words"], "started_at": started_at}


stint.serve(count)
