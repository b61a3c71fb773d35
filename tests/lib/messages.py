"""Handlers in shell that say messages over descriptor 3, for the tests of what becomes of them."""
import json

import procs
from stint_test import StintTest
from waiting import wait_until

CONFIG = ("[job j]\nstages = s\nbackoff = 0s\nmax_attempts = 3\n"
          "[stage j.s]\nhandler = exec ./handler\n")
# A counter of attempts, for handlers that act differently each time.
COUNT = ('n=$(($(cat "count.$STINT_ITEM" 2>/dev/null || echo 0) + 1))\n'
         'echo $n > "count.$STINT_ITEM"\n')
SPAWN_2500 = "seq 2500 | sed 's/.*/{\"type\":\"spawn\",\"items\":[{\"key\":\"n&\"}]}/' >&3\n"


def say(**message):
    text = json.dumps(message).replace("'", "'\\''")
    return f"printf '%s\\n' '{text}' >&3\n"


def items(*keys, **more):
    return [{"key": key, **more} for key in keys]


class MessagesTest(StintTest):
    def prepare(self, body, config=CONFIG, **pool):
        self.script("handler", body)
        self.config(config, **pool)
        self.stint("add", "j", "k")

    def drain(self, body, code=0, config=CONFIG):
        """One item through a stage with this handler; returns its row."""
        self.prepare(body, config)
        self.stint("run", "--drain", code=code)
        return self.run_of("k", "s")

    def kill_worker(self, pool, key="k"):
        """SIGKILL of the worker that has this item."""
        def find():
            claim = self.value("SELECT claim FROM v_stages WHERE item_key = ? AND"
                               " status = 'in_progress'", key)
            return [w["pid"] for w in pool.workers() if claim and w.get("claim") == claim]
        procs.kill(wait_until(find, f"the worker of {key}")[0])

    def keys(self, job="j"):
        return sorted(r["key"] for r in self.runs() if r["job"] == job)
