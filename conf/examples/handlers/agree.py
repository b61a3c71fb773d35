#!/usr/bin/env python3
"""The last stage: have all languages counted the same?"""
import stint


def agree(run):
    counts = {stage: (c["lines"], c["words"]) for stage, c in run.inputs.items()}
    if len(set(counts.values())) != 1:
        raise stint.Fail(f"they do not agree: {counts}")
    lines, words = next(iter(counts.values()))
    return {"lines": lines, "words": words, "handlers": len(counts)}


stint.serve(agree)
