"""stint: what a handler needs, in one file, with nothing but Python's own library (3.8 or newer).
The same program serves `handler = exec ./count.py` and `handler = resident ./count.py`:
    import stint
    def count(run):
        run.progress(total=1)
        return {"words": len(open(run.key).read().split())}      # the result
    stint.serve(count, version="1")

With `async def count(run)` it works on many at once (`concurrency = N`). Instead of returning, a
handler may raise Retry(why, after="30s"), Snooze(why, after=600), Fail(why), Skip(why) or
Wait(items); any other exception is a Retry, its traceback goes to standard error. Of a batch it is
called once for each item; serve(f, batch=True) calls it with the list of them, and takes a list of
results (or of such exceptions). print() never harms the protocol."""
import asyncio
import inspect
import json
import os
import sys
import threading
import traceback

_lock = threading.Lock()
_fd = {}  # "out": where messages go; "loop": for what a plain function wants awaited


class Outcome(Exception):
    def __init__(self, why="", after=None, **members):
        super().__init__(why)
        self.members = {"why": str(why) or None, "after": after, **members}


class Retry(Outcome): "Failed now, may work later; counts as an attempt."
class Snooze(Outcome): "Not yet; does not count."
class Fail(Outcome): "Failed for good."
class Skip(Outcome): "Not needed."


class Wait(Outcome):
    "These items, {key, job, data} each, are added; again after 30 seconds."
    def __init__(self, items, on_failure="fail"):
        super().__init__(items=list(items), on_failure=on_failure)


def _say(kind, value=None, **members):
    message = {"type": kind, **{k: v for k, v in members.items() if v is not None}, **(value or {})}
    line = (json.dumps(message, allow_nan=False, separators=(",", ":")) + "\n").encode()
    with _lock:
        while line:
            line = line[os.write(_fd["out"], line):]


class Run:
    """One attempt; the members of its request are attributes: key, data, attempt, inputs …
    restored: what the checkpoint said last held, or None."""

    def __init__(self, request, item=None):
        self.request = {"data": {}, "inputs": {}, "waited": [], **request, **(item or {})}
        self.restored = self.request.get("checkpoint")
        self._about = {"id": request.get("id"), **({"key": item["key"]} if item else {})}

    def __getattr__(self, name):
        if name == "request" or name not in self.request:
            raise AttributeError(f"a request has no {name}")
        return self.request[name]

    def _say(self, kind, value=None, **members):
        _say(kind, value, **{**self._about, **members})

    def progress(self, done=None, total=None, failed=None):
        self._say("progress", done=done, failed=failed, total=total)
    def checkpoint(self, data):
        self._say("checkpoint", {"data": data})
    def cost(self, usd=None, tokens=None, of=None):
        self._say("cost", usd=usd, tokens=tokens, of=of)
    def limit(self, retry_after, resource=None, key=None):
        self._say("limit", resource=resource, key=key, retry_after=retry_after)
    def spawn(self, *items, **item):
        """spawn(key="b", data={}, job="j", priority=1), or any number of such dicts."""
        items = [*items, item] if item else items
        for i in range(0, len(items), 1000):
            self._say("spawn", items=items[i:i + 1000])
    def log(self, text, level="info"):
        self._say("log", level=level, text=str(text))
    def end(self, result):
        """The outcome: a result, or an exception. serve() calls it."""
        if isinstance(result, Outcome):
            self._say(type(result).__name__.lower(), **result.members)
        elif isinstance(result, BaseException):
            traceback.print_exception(type(result), result, result.__traceback__)
            self._say("retry", why=f"{type(result).__name__}: {result}"[:2000])
        else:
            try:
                self._say("done", {"result": result})
            except (TypeError, ValueError) as e:
                self._say("fail", why=f"the result cannot be written as JSON: {e}")


async def _call(handler, runs, batch):
    try:
        results = handler(runs if batch else runs[0])
        if inspect.isawaitable(results):  # also of a lambda, or a decorator's plain function
            results = _fd["loop"].run_until_complete(results) if "loop" in _fd else await results
        results = list(results) if batch else [results]
        if len(results) != len(runs):
            raise Fail(f"the handler made {len(results)} results of {len(runs)} items")
    except asyncio.CancelledError:
        results = [Retry("cancelled")] * len(runs)
    except Exception as e:
        results = [e] * len(runs)
    for run, result in zip(runs, results):
        run.end(result)


def _calls(handler, request, batch):
    """The coroutines that a request is; none, if it is another message."""
    runs = [Run(request, item) for item in request.get("items") or [None]]
    parts = [runs] if batch else [[run] for run in runs]
    return [_call(handler, part, batch) for part in parts if request["type"] == "run"]


async def _serve_many(handler, lines, batch):
    tasks, loop = {}, asyncio.get_running_loop()
    while line := await loop.run_in_executor(None, lines.readline):
        request = json.loads(line)
        for task in [t for t in tasks if request["type"] == "cancel" and tasks[t] == request["id"]]:
            task.cancel()
        for call in _calls(handler, request, batch):
            task = loop.create_task(call)
            tasks[task] = request.get("id")
            task.add_done_callback(tasks.pop)
    await asyncio.gather(*tasks)


def serve(handler, version=None, batch=False):
    """Answers what stint asks until it asks no more; the last line of a handler."""
    control = os.environ.get("STINT_CONTROL_FD")
    lines = os.fdopen(os.dup(0), "rb")
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)  # nobody else reads requests
    _fd["out"] = int(control or os.dup(1))
    sys.stdout.reconfigure(line_buffering=True)
    if not control:
        os.dup2(2, 1)
        _say("hello", protocol=1, version=version)
    if any(map(inspect.iscoroutinefunction, (handler, type(handler).__call__))):
        return asyncio.run(_serve_many(handler, lines, batch))
    _fd["loop"] = asyncio.new_event_loop()
    for line in lines:
        for call in _calls(handler, json.loads(line), batch):
            next(call.__await__(), None)  # it never waits itself: no loop is needed
