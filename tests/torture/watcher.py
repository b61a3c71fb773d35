"""Looks at the living pool without pause: I13 (full again in time), I14 (every in_progress row has a
living owner), I12 (status answers in time), I8 (the supervisor's descriptors, zombies).

Judges only while the pool answers; what it saw is kept for the report.
"""
import sqlite3
import threading
import time

import control
import procs
from waiting import Timeout, wait_until


class Watcher(threading.Thread):
    def __init__(self, world, target, full_limit, owner_limit=3.0):
        super().__init__(daemon=True)
        self.world, self.target = world, target
        self.full_limit, self.owner_limit = full_limit, owner_limit
        self.is_over = threading.Event()
        self.longest_gap = self.longest_answer = 0.0
        self.full_at, self.ownerless, self.pool = time.monotonic(), {}, None
        self.seen_gap = False

    def run(self):
        while not self.is_over.wait(0.01):
            pool = self.world.pool
            if pool is None or not pool.supervisor or not self.world.is_up():
                self.restart()
                continue
            if pool is not self.pool:
                self.restart()
                self.pool = pool
            self.look_full(pool)
            self.look_owners(pool)

    def restart(self):
        self.full_at, self.ownerless, self.pool = time.monotonic(), {}, None

    def look_full(self, pool):
        now = time.monotonic()
        if len(pool.role_pids("stint-worker")) >= self.target:
            self.full_at, self.seen_gap = now, False
            return
        gap = now - self.full_at
        self.longest_gap = max(self.longest_gap, gap)
        if self.full_limit and gap > self.full_limit and not self.seen_gap:
            self.seen_gap = True
            self.world.violate("I13", f"pool not full for {gap:.2f} s")

    def look_owners(self, pool):
        """A claim may be ownerless for as long as its settlement takes, not longer."""
        try:
            rows = self.world.query("SELECT id, claim FROM item_stages WHERE status ="
                                    " 'in_progress'")
            before = time.monotonic()
            lives = {w["life"] for w in control.workers(pool.socket, 5)}
            self.longest_answer = max(self.longest_answer, time.monotonic() - before)
        except (control.NoPool, control.Refused, sqlite3.Error):
            self.ownerless = {}
            return
        now = time.monotonic()
        lost = {(r["id"], r["claim"]) for r in rows if r["claim"] >> 24 not in lives}
        self.ownerless = {k: self.ownerless.get(k, now) for k in lost}
        for key, since in self.ownerless.items():
            if now - since > self.owner_limit:
                self.world.violate("I14", f"row {key[0]} has been in_progress for "
                                          f"{now - since:.2f} s by claim {key[1] >> 24}-"
                                          f"{key[1] & 0xffffff}, whose life is over")
                self.ownerless[key] = now + 3600

    def end(self):
        self.is_over.set()
        self.join()

    def check_supervisor(self, baseline):
        """After the faults, with a full pool and nobody asking: no more descriptors than at first
        (an answer or a sweep may be under way at any one look), no zombie."""
        pool = self.world.pool
        try:
            wait_until(lambda: len(procs.open_fds(pool.supervisor)) <= len(baseline), "", 10)
        except Timeout:
            fds = procs.open_fds(pool.supervisor)
            self.world.violate("I8", f"supervisor: {baseline} became {fds}")
        try:
            wait_until(lambda: not zombies(pool.supervisor), "", 10)
        except Timeout:
            for pid in zombies(pool.supervisor):
                self.world.violate("I8", f"zombie {procs.describe(pid)}")


def zombies(parent):
    return [pid for pid in procs.children(parent) if procs.state(pid) == "Z"]
