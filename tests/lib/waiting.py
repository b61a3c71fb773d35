"""The one place where a test waits: for a condition, with a generous limit, never for a time."""
import select
import time

GENEROUS = 60.0
STEP = 0.005


class Timeout(AssertionError):
    """The condition did not come true in time."""


def wait_until(condition, what, timeout=GENEROUS):
    """Calls condition() until it is true and returns its value; Timeout names WHAT was awaited."""
    end = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > end:
            detail = what() if callable(what) else what
            raise Timeout(f"not within {timeout:g} s: {detail}")
        select.select([], [], [], STEP)
