"""What residents and the worker agree on: how many runs it claims at once, limits, versions."""
import signal
import unittest

import path  # noqa: F401
from residents import SELDOM, ResidentTest
from waiting import wait_until

# Its result: how many runs are claimed while it runs.
COUNTS = r'''#!/usr/bin/python3
import json, sqlite3, sys
print('{"type":"hello","protocol":1}', flush=True)
db = sqlite3.connect("file:stint.db?mode=ro", uri=True, timeout=30)
for line in sys.stdin:
    request = json.loads(line)
    n, = db.execute("SELECT count(*) FROM item_stages WHERE status = 'in_progress'").fetchone()
    print(json.dumps({"type": "done", "id": request["id"], "result": n}), flush=True)
'''


class MaxClaim(ResidentTest):
    def test_calls_are_filled_by_several_claims(self):
        self.job("concurrency = 10\nmax_claim = 3\n", **SELDOM)
        self.add(**{f"k{n}": {"act": "hang"} for n in range(11)})
        pool = self.pool()
        wait_until(lambda: len(self.noted("run")) == 10, "all places are taken")
        self.assertEqual(self.value("SELECT count(*) FROM item_stages WHERE status = 'in_progress'"),
                         10)
        pool.signal(signal.SIGQUIT)
        pool.wait()

    def test_it_bounds_a_batch(self):
        self.job("batch = 10\nmax_claim = 4\n")
        self.add(**{f"k{n:02}": {} for n in range(10)})
        self.stint("run", "--drain")
        self.assertEqual(set(self.all_statuses().values()), {"done"})
        self.assertLessEqual(max(len(line) - 2 for line in self.noted("run")), 4)

    def test_one_is_never_ahead(self):
        self.write("r.py", COUNTS, 0o700)
        self.job("max_claim = 1\n")
        self.add(**{f"k{n}": {} for n in range(300)})
        self.stint("run", "--drain")
        self.assertEqual({self.result_of(f"k{n}", "j") for n in range(300)}, {1})


class Limit(ResidentTest):
    def test_in_a_batch_it_is_every_ones(self):
        self.job("batch = 2\nresource = api\n[resource api]\nrate = 1000/s\n", attempts=1)
        self.add(a={"act": "limit"}, b={"act": "retry"})
        pool = self.pool()
        wait_until(lambda: self.run_of("a")["snoozes"] > 1 and self.run_of("b")["snoozes"] > 1,
                   "given back")
        pool.stop()
        self.assertEqual({r["attempts"] for r in self.runs()}, {0})


class Version(ResidentTest):
    def versions(self):
        return {r["key"]: r["version"] for r in self.stint("results", "j", "--json").rows}

    def test_what_the_hello_says_is_the_version(self):
        self.job("", "version=2.1-beta")
        self.add(a={}, b={"act": "skip"})
        self.stint("run", "--drain")
        self.assertEqual(self.versions(), {"a": "2.1-beta"})
        self.assertEqual(self.result_of("a", "j")["version"], "2.1-beta")  # of the request
        self.assertIn("result of j by version 2.1-beta:", self.stint("show", "j", "a").out)
        self.assertEqual(self.stint("show", "j", "a", "--json").json["results"][0]["version"],
                         "2.1-beta")

    def test_a_configured_one_counts(self):
        self.job("version = 7\n", "version=7")
        self.add(a={})
        self.stint("run", "--drain")
        self.assertEqual(self.versions(), {"a": "7"})
        self.assertEqual(self.result_of("a", "j")["version"], "7")

    def test_none(self):
        self.job()
        self.add(a={})
        self.stint("run", "--drain")
        self.assertEqual(self.versions(), {"a": None})
        self.assertEqual(self.result_of("a", "j")["version"], "")
        self.assertIn("result of j:", self.stint("show", "j", "a").out)

    def test_another_one_is_a_new_version(self):
        self.write("v", "1")
        self.job("max_requests = 1\nbatch = 2\n", "version=@v")
        self.add(a={})
        pool = self.pool()
        self.wait_status("a", "j", "done")
        self.write("v", "2")
        self.add(b={})
        self.wait_status("b", "j", "done")
        pool.stop()
        self.assertEqual(self.versions(), {"a": "1", "b": "2"})
        self.assertEqual(self.events("stage.paused"), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
