"""A running pool as the tests see it: the process that was started, its supervisor, its children.

Roles are found through the control socket and /proc, never by a name that another pool could have.
Used by the fixture, the torture and the benchmarks.
"""
import os
import signal
import subprocess

import control
import procs
from waiting import GENEROUS, wait_until


class Pool:
    def __init__(self, directory, argv, env, log_name=None):
        self.dir, self.argv = directory, argv
        self.socket = os.path.join(directory, "stint.sock")
        self.log_path = os.path.join(directory, log_name or f"pool-{os.urandom(4).hex()}.log")
        with open(self.log_path, "wb") as log:
            self.process = subprocess.Popen(argv, cwd=directory, env=env, stdout=log, stderr=log,
                                            stdin=subprocess.DEVNULL, start_new_session=True)
        self.pid = self.process.pid
        self.supervisor = 0

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    # -- looking

    def status(self):
        """The pool's own status object; None while this pool does not answer."""
        try:
            found = control.status(self.socket)
        except control.NoPool:
            return None
        is_mine = found["pid"] == self.pid or found["pid"] in procs.descendants(self.pid)
        return found if is_mine or found["pid"] == self.supervisor else None

    def workers(self):
        try:
            return control.workers(self.socket)
        except control.NoPool:
            return []

    def worker_pids(self):
        return [w["pid"] for w in self.workers() if w.get("pid")]

    def role_pids(self, comm):
        return [p for p in procs.children(self.supervisor)
                if procs.comm(p) == comm and procs.is_alive(p)]

    def keeper(self):
        found = self.role_pids("stint-keeper")
        return found[0] if found else 0

    def is_full(self):
        found = self.status()
        return (found if found and found["state"] == "running" and
                len(self.role_pids("stint-worker")) >= found["workers_target"] > 0 else None)

    def wait_ready(self, timeout=GENEROUS):
        """Until every worker process is there; remembers who the supervisor is."""
        def is_ready():
            if self.process.poll() is not None:
                raise AssertionError(f"pool ended with {self.process.returncode}: {self.log()}")
            found = self.status()
            if found:
                self.supervisor = found["pid"]
            return found and self.is_full()
        return wait_until(is_ready, lambda: f"pool ready: {self.status()}\n{self.log()}", timeout)

    # -- ending

    def signal(self, signum):
        procs.kill(self.pid, signum)

    def wait(self, timeout=GENEROUS):
        """Exit code of what was started."""
        try:
            return self.process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"pool still runs after {timeout} s:\n{self.tree()}\n"
                                 f"{self.log()[-8000:]}") from None

    def stop(self, timeout=GENEROUS):
        self.signal(signal.SIGTERM)
        return self.wait(timeout)

    def tree(self):
        found = [self.pid, *procs.descendants(self.pid)]
        return "\n".join(procs.describe(pid) for pid in found)

    def kill_all(self):
        """SIGKILL of stint run, supervisor, keeper and workers at once (not of handlers)."""
        ours = [p for p in [self.pid, self.supervisor, *procs.children(self.supervisor)]
                if p and procs.comm(p) in ("stint", "stintd", "stint-keeper", "stint-worker")]
        for pid in ours:
            procs.kill(pid)
        return ours

    def end(self):
        """For clean-up: stops the pool now, then by force; never raises."""
        if self.process.poll() is None:
            for pid in [self.supervisor, *procs.descendants(self.pid)]:
                if pid and procs.state(pid) == "T":
                    procs.kill(pid, signal.SIGCONT)
            self.signal(signal.SIGTERM)
            if self.supervisor:
                procs.kill(self.supervisor, signal.SIGQUIT)
            try:
                self.process.wait(30)
            except subprocess.TimeoutExpired:
                self.kill_all()
                self.process.wait()
