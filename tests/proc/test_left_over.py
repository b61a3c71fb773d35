"""What a pool that died whole leaves behind, and what the next start does about it."""
import os
import unittest

import path  # noqa: F401
import procs
from stint_test import StintTest
from waiting import wait_until


def own_group():
    """The directory of our cgroup v2, if we may make groups in it; else None."""
    with open("/proc/self/mountinfo", encoding="utf-8") as f:
        mounts = [line.split() for line in f]
    with open("/proc/self/cgroup", encoding="utf-8") as f:
        mine = next((line.strip()[3:] for line in f if line.startswith("0::")), None)
    found = next((m[4] for m in mounts if m[3] == "/" and "cgroup2" in m[m.index("-") + 1:]), None)
    where = found and mine and os.path.normpath(found + mine)
    return where if where and os.access(where, os.W_OK) else None


class LeftOver(StintTest):
    def hide(self):
        """A run that leaves a process with a session, a parent and an environment of its own."""
        self.ledger_script("hider", "env -i setsid sh -c 'trap \"\" TERM HUP INT; echo $$ >>hidden; "
                           "exec tail -f /dev/null' >/dev/null 2>&1 &\n" + self.gate())
        self.config("[job j]\nstages = s\n[stage j.s]\nhandler = exec ./hider\n", workers=1)
        self.stint("add", "j", "k")
        pool = self.pool()
        return pool, wait_until(self.hidden, "the hidden process lives")

    def hidden(self):
        try:
            with open(self.path("hidden"), encoding="ascii") as f:
                return [int(word) for word in f.read().split()]
        except FileNotFoundError:
            return []

    @unittest.skipUnless(own_group(), "no cgroup v2 that we may make groups in")
    def test_hidden_process_of_a_dead_pool_is_ended_before_the_next_begins(self):
        pool, hidden = self.hide()
        pool.kill_all()
        pool.wait()
        self.open_gate()
        self.stint("run", "--drain", timeout=120)
        self.assertEqual([p for p in hidden + self.hidden() if procs.is_alive(p)], [])
        self.assertEqual([g for g in os.listdir(own_group()) if g.startswith("stint-") and
                          g.endswith(f"-{os.stat(self.dir).st_ino}")], [])

    def test_hidden_process_of_a_killed_worker_is_ended(self):
        pool, hidden = self.hide()
        procs.kill(next(w["pid"] for w in pool.workers() if w["claim"]))
        wait_until(lambda: not any(map(procs.is_alive, hidden)), "the hidden process is gone")
        self.open_gate()
        self.wait_status("k", "s", "done")
        pool.stop()
        self.assertEqual([p for p in self.hidden() if procs.is_alive(p)], [])


if __name__ == "__main__":
    unittest.main()
