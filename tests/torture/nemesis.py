"""The nemeses: each scenario is one function that hurts the world until its time is over.

All decisions come from one random.Random(seed) and are noted in nemesis.jsonl; given the seed, the
same decisions are taken again. The clock between them is part of the decision.
"""
import os
import re
import signal
import subprocess
import time

import procs
from waiting import Timeout, wait_until

ROLES = ("stint", "stintd", "stint-keeper", "stint-worker")
CRASH_POINT = re.compile(r'CRASH_POINT\("([a-z0-9_.-]+)"\)')


class Nemesis:
    def __init__(self, world, rng, seconds):
        self.world, self.rng = world, rng
        self.end = time.monotonic() + seconds
        self.count = 0

    def is_time(self):
        return time.monotonic() < self.end

    def pause(self, seconds):
        """Until the next act is due; never past the end."""
        due = min(time.monotonic() + seconds, self.end)
        wait_until(lambda: time.monotonic() >= due, "the next act", seconds + 60)

    def keep_up(self):
        if not self.world.is_up():
            self.world.start()

    def kill(self, pid, signum, act):
        self.count += 1
        self.world.act(act, pid=pid, argv=procs.argv(pid))
        return procs.kill(pid, signum)

    def worker(self):
        """A random worker of the pool; 0 when there is none just now."""
        choice = self.rng.random()
        pids = self.world.pool.role_pids("stint-worker")
        return pids[int(choice * len(pids))] if pids else 0


def kill_workers(n):
    """F1: SIGKILL of random workers, 20 a second."""
    while n.is_time():
        pid = n.worker()
        if pid:
            n.kill(pid, signal.SIGKILL, "kill worker")
        n.pause(0.05)


def kill_pool(n):
    """F5: SIGKILL of the whole pool at once, and at once a new one."""
    while n.is_time():
        n.pause(n.rng.uniform(0.2, 1.5))
        n.count += 1
        n.world.act("kill pool")
        n.world.pool.kill_all()
        n.world.pool.process.wait()
        n.keep_up()


def remove_files(n):
    """F6: the supervisor is killed, its files are removed, a new one starts at once."""
    while n.is_time():
        n.pause(n.rng.uniform(0.2, 1.5))
        pool = n.world.pool
        n.kill(pool.supervisor, signal.SIGKILL, "kill supervisor")
        for name in os.listdir(n.world.dir):
            if name.endswith((".sock", ".pid", ".lock")):
                try:
                    os.unlink(n.world.path(name))
                except FileNotFoundError:
                    pass
        # The old `stint run` may still be ending: the new pool has to cope with that.
        n.world.start(is_ready=False)
        try:
            n.world.pool.wait_ready()
        finally:
            pool.wait()


def stop_writers(n):
    """F9: SIGSTOP of a worker that holds the write lock; it must be gone within write_timeout."""
    world = n.world

    def hold():
        holder = procs.write_lock_holder(world.database)
        if holder and holder in world.pool.role_pids("stint-worker"):
            procs.kill(holder, signal.SIGSTOP)
            if procs.write_lock_holder(world.database) == holder:
                return holder
            procs.kill(holder, signal.SIGCONT)
        return 0

    while n.is_time():
        try:
            pid = wait_until(hold, "a worker that writes", 5)
        except Timeout:
            continue
        n.count += 1
        world.act("stop writer", pid=pid)
        if not procs.wait_gone(pid, 10):
            world.violate("F9", f"{procs.describe(pid)} holds the write lock for 10 s")
            procs.kill(pid)
        n.pause(n.rng.uniform(0.05, 0.5))


def stop_supervisor(n):
    """F10: SIGSTOP of the supervisor for 5 × the heartbeat timeout: nobody is judged for it."""
    world, timeout = n.world, 0.6
    while n.is_time():
        n.pause(n.rng.uniform(0.2, 1.0))
        before = world.pool.role_pids("stint-worker")
        n.kill(world.pool.supervisor, signal.SIGSTOP, "stop supervisor")
        due = time.monotonic() + 5 * timeout
        wait_until(lambda at=due: time.monotonic() >= at, "5 × timeout", 5 * timeout + 60)
        procs.kill(world.pool.supervisor, signal.SIGCONT)
        settled = time.monotonic() + 2 * timeout
        wait_until(lambda at=settled: time.monotonic() >= at, "verdicts", 60)
        after = world.pool.role_pids("stint-worker")
        if after != before:
            world.violate("F10", f"workers {before} became {after} after SIGCONT")
    died = world.query("SELECT COUNT(*) AS n FROM events WHERE event = 'attempt.interrupted'"
                       " OR event = 'worker.died'")
    if died[0]["n"]:
        world.violate("F10", f"{died[0]['n']} events of deaths or interruptions")


def crash_points(n, point, times):
    """F2: whoever reaches the point kills itself, `times` times; random deaths bring it about."""
    world = n.world
    tokens = world.path("tokens")
    os.makedirs(tokens, exist_ok=True)
    for i in range(times):
        with open(os.path.join(tokens, f"{point}-{i}"), "w", encoding="ascii"):
            pass
    world.extra_env = {"STINT_CRASH_POINT": point, "STINT_CRASH_TOKENS": tokens}
    world.pool.stop()
    while os.listdir(tokens) and n.is_time():
        if not world.is_up():
            world.start(is_ready=False)
        n.pause(n.rng.uniform(0.02, 0.25))
        if find_supervisor(world.pool):
            disturb(n)
    left = len(os.listdir(tokens))
    n.count += times - left
    for name in os.listdir(tokens):
        os.unlink(os.path.join(tokens, name))
    world.extra_env = {}
    if left:
        world.violate("F2", f"{point} was reached {times - left} of {times} times")
    if world.is_up():
        world.pool.stop()


def disturb(n):
    """What brings a pool to its rarer points: deaths, retirements, orderly stops."""
    choice, pool = n.rng.random(), n.world.pool
    if choice < 0.3:
        pid = n.worker()
        if pid:
            n.kill(pid, signal.SIGKILL, "kill worker")
    elif choice < 0.4 and pool.keeper():
        n.kill(pool.keeper(), signal.SIGKILL, "kill keeper")
    elif choice < 0.6:
        for signum in (signal.SIGTTOU, signal.SIGTTIN):
            n.kill(pool.supervisor, signum, signum.name)
    elif choice < 0.65:
        n.kill(pool.supervisor, signal.SIGTERM, "stop pool")
    elif choice < 0.9:
        reload(n)


def reload(n):
    """Another configuration, good or bad, and HUP. A pool that starts meanwhile must have a good
    one, so a bad one is there for this HUP only."""
    kind, number = n.rng.choice(("handler", "limits", "bad", "same")), n.rng.randrange(1000)
    world = n.world
    if kind == "bad":
        good = read_text(world.path("stint.conf"))
        world.write_config("timout = 5m")
        n.kill(world.pool.supervisor, signal.SIGHUP, "reload bad")
        wait_until(lambda: not world.is_up() or is_refused(world.pool), "refused", 60)
        world.write_text("stint.conf", good)
        return
    if kind != "same":
        world.write_config(f"timeout = {10 + number}m", number % 3 if kind == "handler" else 0)
    n.kill(world.pool.supervisor, signal.SIGHUP, f"reload {kind}")


def is_refused(pool):
    found = pool.status()
    return found is None or found.get("reload", {}).get("state") == "refused"


def read_text(path):
    with open(path, encoding="utf-8") as f:
        return f.read()


def reloads(n):
    """F24: SIGHUP with good and bad files, twenty a second, while workers and the keeper die."""
    while n.is_time():
        reload(n)
        pid = n.worker()
        if pid and n.rng.random() < 0.7:
            n.kill(pid, signal.SIGKILL, "kill worker")
        if n.rng.random() < 0.05 and n.world.pool.keeper():
            n.kill(n.world.pool.keeper(), signal.SIGKILL, "kill keeper")
        n.pause(0.05)


def find_supervisor(pool):
    if not pool.supervisor:
        pool.supervisor = (pool.status() or {"pid": 0})["pid"]
    return pool.supervisor


# Its handlers meet no limit, which would pace all of them: tests/proc/test_spend.py dies there.
TRIED_ELSEWHERE = {"hold.after_commit"}


def crash_point_names(root):
    """The points in the sources that its work comes to, by name."""
    found = set()
    for folder in ("common", "supervisor", "worker", "cli"):
        for where, _, names in os.walk(os.path.join(root, folder)):
            for name in names:
                if name.endswith(".c"):
                    with open(os.path.join(where, name), encoding="utf-8") as f:
                        found |= set(CRASH_POINT.findall(f.read()))
    return sorted(found - TRIED_ELSEWHERE)


def has_crash_points(bin_dir):
    """Whether these programs were built with them."""
    return subprocess.run(["grep", "-q", "STINT_CRASH_TOKENS", f"{bin_dir}/stint-worker"],
                          check=False).returncode == 0


SCENARIOS = {
    "F1": (kill_workers, {}),
    "F2": (None, {}),
    "F5": (kill_pool, {}),
    "F6": (remove_files, {}),
    "F9": (stop_writers, {"write_timeout": "1s", "heartbeat_timeout": "20s"}),
    "F24": (reloads, {}),
    "F10": (stop_supervisor, {"heartbeat_timeout": "600ms"}),
}
