#!/usr/bin/env python3
"""Says whatever its key names, by stint.py. say_all.js and say_all.sh do the same."""
import asyncio
import sys

import stint


def handle(run):
    print("printed, and nowhere in the protocol")
    key = run.key
    if key == "messages":
        run.progress(done=1, total=10)
        run.progress(failed=2)
        run.checkpoint({"offset": 5})
        run.cost(usd=0.5, tokens=7, of='model "x"')
        run.limit("30s")
        run.limit(30, resource="api", key="host")
        run.spawn(key="x", data={"a": 1}, job="other", priority=4)
        run.spawn(key="y")
        run.log('two\nlines\tand "more" \\ é', level="warn")
    if key == "spawns":
        run.cost(usd=0.25, tokens=3)
        run.spawn({"key": f"{run.job}-1", "job": "other"}, {"key": f"{run.job}-2", "job": "other"})
    if key == "request":
        return f"{run.job} {run.stage} {run.attempt} {run.data['text']}{run.inputs['first']['n']}"
    if key == "restored":
        return run.restored
    if key == "fail":
        raise stint.Fail("no such page")
    if key == "skip":
        raise stint.Skip("not needed")
    if key == "retry":
        raise stint.Retry("HTTP 503", after="30s")
    if key == "retry-now":
        raise stint.Retry("again")
    if key == "snooze":
        raise stint.Snooze("not yet", after=600)
    if key == "wait":
        raise stint.Wait([{"job": "o", "key": "k"}], on_failure="continue")
    if key == "crash":
        raise ValueError("bad luck")
    return None


gate = asyncio.Event()


async def handle_async(run):
    if run.key == "waits":
        await gate.wait()
    if run.key == "lets":
        gate.set()
    return handle(run)


class Handler:
    async def __call__(self, run):
        return await handle_async(run)


HANDLERS = {"async": handle_async, "wrapped": lambda run: handle_async(run), "object": Handler()}
stint.serve(HANDLERS.get(sys.argv[-1], handle), version="1.5")
