#!/usr/bin/env python3
"""Counts lines and words of a file, block by block: Python, as exec or as resident."""
import os

import stint

BLOCK = int(os.environ.get("BLOCK", 65536))
BLANKS = b" \t\n\v\f\r"


def count(run):
    state = run.restored or {"offset": 0, "lines": 0, "words": 0, "in_word": False}
    started_at = state["offset"]
    try:
        f = open(run.key, "rb")
    except FileNotFoundError as e:
        raise stint.Fail(f"there is no such file: {e.filename}") from None
    with f:
        total = os.fstat(f.fileno()).st_size
        f.seek(started_at)
        while block := f.read(BLOCK):
            state["lines"] += block.count(b"\n")
            state["words"] += len(block.split()) - (state["in_word"] and block[0] not in BLANKS)
            state["in_word"] = block[-1] not in BLANKS
            state["offset"] += len(block)
            run.progress(done=state["offset"], total=total)
            run.checkpoint(state)
    return {"lines": state["lines"], "words": state["words"], "started_at": started_at}


if __name__ == "__main__":
    stint.serve(count)
