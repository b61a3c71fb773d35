"""Configuration through the real commands: what is refused and how, what is read whole, where each
value comes from, secrets that nobody shows."""
import os
import stat
import unittest

import path  # noqa: F401
from stint_test import StintTest
from waiting import wait_until
from wrong_configs import JOB, WRONG

SECRET = "s3cret-Hunter2"


class ConfigTest(StintTest):
    def put(self, name, data):
        self.write(name, "")
        with open(self.path(name), "wb") as f:
            f.write(data if isinstance(data, bytes) else data.encode())

    def settings(self, **how):
        """{(section, key): row} of `config show --json`."""
        rows = self.stint("--json", "config", "show", **how).rows
        return {(r["section"], r["key"]): r for r in rows}


class Wrong(ConfigTest):
    def test_each_fault_has_its_own_words_and_status_78(self):
        self.assertGreaterEqual(len(WRONG), 60)
        for name, text, lines in WRONG:
            with self.subTest(name):
                self.put("stint.conf", text)
                done = self.stint("check", code=78)
                found = done.err.replace(self.dir, "DIR").splitlines()
                self.assertEqual(found, lines)
                self.assertEqual(done.out, "")

    def test_all_faults_of_all_files_at_once(self):
        """A NUL byte, a dangling link, a file that others may write, an ordinary fault: each told."""
        self.put("stint.conf", "[pool]\nworkers = x\n" + JOB)
        self.put("jobs.d/a.conf", b"[job b]\nhandler = builtin noop\ntimeout = 1\0s\n")
        os.symlink("nowhere.conf", self.path("jobs.d/b.conf"))
        self.write("jobs.d/c.conf", "[job c]\nhandler = builtin noop\npriority = x\n", 0o622)
        self.put("jobs.d/d.conf", "[job d]\nhandler = exec\n")
        done = self.stint("check", code=78, env={"STINT_POOL_DURABILITY": "fast",
                                                 "STINT_POOL_WORKER": "3"})
        for line in ('stint.conf:2: workers: "x" is no number',
                     "jobs.d/a.conf:3: there is a NUL byte",
                     'jobs.d/a.conf:3: timeout: "1?s" is no duration',
                     "jobs.d/b.conf is a link to nowhere.conf, which is not there",
                     "jobs.d/c.conf can be written by others",
                     'jobs.d/c.conf:3: priority: "x" is no whole number',
                     "jobs.d/d.conf:2: handler: exec needs a program",
                     'STINT_POOL_DURABILITY: durability: "fast" is not known',
                     'STINT_POOL_WORKER: unknown key "worker" in [pool]; did you mean "workers"?'):
            self.assertIn(line, done.err)
        problems = self.stint("--json", "check", code=78,
                              env={"STINT_POOL_DURABILITY": "fast"}).json["problems"]
        self.assertIn("jobs.d/a.conf:3: there is a NUL byte; a configuration is text", problems)

    def test_files_that_cannot_be_read_are_named(self):
        self.put("stint.conf", JOB + "[stage b.x]\nhandler = builtin noop\nresource = r\n"
                                     "use = t\ntimeout = 3\n")
        os.makedirs(self.path("jobs.d/a.conf"))
        os.mkfifo(self.path("jobs.d/b.conf"), 0o600)
        self.put("jobs.d/c.conf", "# x\n" * (1 << 20) + "[job a]\n")
        # Job b, resource r and template t may stand in what could not be read: not told.
        err = self.stint("check", code=78).err.replace(self.dir, "DIR").splitlines()
        self.assertEqual(err[:2], ["DIR/jobs.d/a.conf is a directory",
                                   "DIR/jobs.d/b.conf is no regular file"])
        self.assertIn("DIR/jobs.d/c.conf: ", err[2])
        self.assertIn('stint.conf:7: timeout: "3" has no unit', err[3])
        self.assertEqual(len(err), 4)
        self.assertIn("is a directory; type: stint -c jobs.d/stint.conf",
                      self.stint("-c", "jobs.d", "check", code=78).err)

    def test_what_others_may_write_is_refused_with_the_fix(self):
        self.script("handler", "true")
        self.put("stint.conf", "[job a]\nhandler = exec ./handler\n")
        self.write("jobs.d/a.conf", "")
        self.stint("check")
        for name, mode in (("stint.conf", 0o620), ("jobs.d/a.conf", 0o602), ("jobs.d", 0o770),
                           ("handler", 0o720), ("handler", 0o702), ("", 0o770)):
            target = self.path(name).rstrip("/")
            was = stat.S_IMODE(os.stat(target).st_mode)
            os.chmod(target, mode)
            done = self.stint("check", code=78)
            self.assertRegex(done.err, f"type: chmod go-w ({target}|{name})\n")
            os.chmod(target, was)
        self.stint("check")

    def test_no_pool_runs_what_others_may_write(self):
        handler = self.script("handler", "true")
        self.config("[job a]\nhandler = exec ./handler\n")
        pool = self.pool()
        os.chmod(handler, 0o722)
        words = (f"stint.conf:8: [job a] its handler {handler} may be written by others; type: "
                 f"chmod go-w {handler}")
        self.config("[job a]\nhandler = exec ./handler\ntimeout = 1m\n")
        self.assertIn(words, self.stint("reload", code=1).err)
        pool.stop()
        self.assertIn(words, self.stint("run", "--drain", code=78).err)
        os.chmod(handler, 0o700)
        self.stint("run", "--drain")

    def test_overrides_from_the_environment(self):
        self.put("stint.conf", "[pool]\nworkers = 3\n" + JOB)
        found = self.settings(env={"STINT_POOL_WORKERS": "4..6", "STINT_POOL_PID_FILE": "",
                                   "STINT_POOL_LOG": "file " + "x" * 3000 + " ; y.log"})
        self.assertEqual(found["pool", "workers"]["value"], "4..6")
        self.assertEqual(found["pool", "log"]["value"],
                         f"file {self.dir}/" + "x" * 3000 + " ; y.log")
        for env, words in (
                ({"STINT_POOL_WORKERS": "4\n"}, "STINT_POOL_WORKERS: has a line break; expected"),
                ({"STINT_POOL_workers": "4"},
                 "STINT_POOL_workers: an override of [pool] is written in capitals"),
                ({"STINT_POOL_PRIORITY": "4"},
                 'STINT_POOL_PRIORITY: unknown key "priority" in [pool]; it belongs to [job NAME]'),
                ({"STINT_POOL_HEARTBEAT_TIMEOUT": "1s"},
                 "STINT_POOL_HEARTBEAT_TIMEOUT: heartbeat_timeout is shorter than twice")):
            self.assertIn(words, self.stint("check", code=78, env=env).err)

    def test_what_only_looks_wrong_is_a_warning(self):
        self.put("stint.conf", "[job a]\nstages = x y\nenv.API_KEY = abc\nenv.B = @cred:b\n"
                               "[stage a.x]\nhandler = builtin noop\nenv.KEYBOARD = us\n"
                               "[stage a.y]\nhandler = builtin noop\nenv.TOKEN = def\n")
        self.assertEqual([line.split(" ", 4)[:4] for line in self.stint("check").err.splitlines()],
                         [["stint.conf:3:", "warning:", "env.API_KEY", "looks"],
                          ["stint.conf:4:", "warning:", "env.B:", "@cred:b"],
                          ["stint.conf:10:", "warning:", "env.TOKEN", "looks"]])

    def test_a_script_of_an_interpreter_is_looked_at(self):
        self.put("stint.conf", "[job a]\nhandler = exec sh ./fetch.sh x\n")
        self.assertIn(f"stint.conf:2: [job a] its handler script {self.path('fetch.sh')} does not",
                      self.stint("check", code=78).err)
        self.write("fetch.sh", "true\n", 0o620)
        self.assertIn("chmod go-w", self.stint("check", code=78).err)
        os.chmod(self.path("fetch.sh"), 0o600)
        self.stint("check")

    def test_very_many_sections(self):
        """20,000 jobs with a fault in the last; and with none: found, and found quickly enough."""
        jobs = "".join(f"[job j{i}]\nhandler = builtin noop\n" for i in range(20000))
        self.put("stint.conf", jobs)
        self.assertIn("20000 jobs", self.stint("check").out)
        self.put("stint.conf", jobs + "prioritty = 1\n[job j7]\n")
        self.assertEqual(self.stint("check", code=78).err.splitlines(), [
            "stint.conf:40002: the section [job j7] is there twice; the first is at stint.conf:15",
            'stint.conf:40001: unknown key "prioritty" in [job j19999]; did you mean "priority"?'])

    def test_a_hundred_faults_are_shown_and_the_rest_counted(self):
        self.put("stint.conf", "[pool]\n" + "nonsense\n" * 250)
        lines = self.stint("check", code=78).err.splitlines()
        self.assertEqual(len(lines), 101)
        self.assertEqual(lines[-1], "… and 150 more problems")


class Whole(ConfigTest):
    """The traps of the library below: what a value is, it stays."""

    def test_values_stay_whole(self):
        long, longer = "x" * 5000, "y;" * 50000
        self.put("stint.conf", f"[job a]\nhandler = exec /bin/echo ; {long} # no comment\n"
                               f"version = 1 ; 2\nenv.LONG = {longer} ; end\n"
                               "[job b]\nhandler = shell echo a ; echo b\n    echo c\n")
        found = self.settings()
        self.assertEqual(found["job a", "handler"]["value"],
                         f"exec /bin/echo ; {long} # no comment")
        self.assertEqual(found["job a", "version"]["value"], "1 ; 2")
        self.assertEqual(found["job a", "env.LONG"]["value"], f"{longer} ; end")
        self.assertEqual(found["job b", "handler"]["value"], "shell echo a ; echo b\necho c")
        self.assertEqual(found["job b", "handler"]["line"], 6)

    def test_any_editor_s_file_is_read(self):
        """BOM, CRLF, tabs, blank lines, comments, no final newline."""
        self.put("stint.conf", "\ufeff# first\r\n\r\n[pool]\r\n\tworkers\t=\t3\t\r\n; second\r\n"
                               "  durability=normal\r\n[job a]\r\n\r\n  handler = builtin noop\r\n  timeout = 7s")
        found = self.settings()
        self.assertEqual(found["pool", "workers"]["value"], "3")
        self.assertEqual(found["pool", "workers"]["line"], 4)
        self.assertEqual(found["pool", "durability"]["value"], "normal")
        self.assertEqual(found["job a", "timeout"]["value"], "7s")
        self.assertEqual(found["job a", "timeout"]["line"], 10)


class Show(ConfigTest):
    def test_every_value_says_where_it_comes_from(self):
        self.put("stint.conf", "[pool]\nworkers = 3\n[template slow]\ntimeout = 1h\n"
                               "[job a]\nuse = slow\nstages = x\njitter = 5%\n")
        self.put("jobs.d/a.conf", "[stage a.x]\nhandler = builtin noop\n")
        found = self.settings(env={"STINT_POOL_WRITE_TIMEOUT": "3s"})
        for place, value, origin in (
                (("pool", "workers"), "3", "stint.conf:2"),
                (("pool", "write_timeout"), "3s", "STINT_POOL_WRITE_TIMEOUT"),
                (("pool", "durability"), "full", "default"),
                (("stage a.x", "timeout"), "1h", "stint.conf:4 (template slow)"),
                (("stage a.x", "jitter"), "5%", "stint.conf:8"),
                (("stage a.x", "handler"), "builtin noop", "jobs.d/a.conf:2"),
                (("job a", "stages"), "x", "stint.conf:7")):
            self.assertEqual((found[place]["value"], found[place]["origin"]), (value, origin))
            self.assertEqual(found[place]["default"], origin == "default")
        words = self.stint("config", "show", "--origin").out
        self.assertRegex(words, r"(?m)^\[stage a\.x\]$")
        self.assertRegex(words, r"(?m)^stint\.conf:4 \(template slow\) +timeout = 1h$")
        self.assertRegex(words, r"(?m)^default +durability = full$")

    def test_what_it_shows_is_a_configuration_that_means_the_same(self):
        self.put("stint.conf", "[pool]\nworkers = 2..5\nlog = file x.log\n[resource r]\n"
                               "rate = 90/m\n[template t]\nbackoff = 90s\nenv.A = b ; c\n"
                               "[job a]\nuse = t\nstages = x y\nresource = r\n[stage a.x]\n"
                               "handler = shell echo a\n   echo b\nresource = none\n[stage a.y]\n"
                               "handler = exec ./t 'a b'\nbackoff_factor = 1.25\n"
                               "[job b]\nhandler = builtin sleep 3s\nstderr_tail = 0\n")
        shown = self.stint("config", "show").out
        self.put("again/stint.conf", shown)
        again = self.stint("config", "show", cwd=self.path("again")).out
        self.assertEqual(again, shown)

    def test_diff_by_what_a_reload_would_do(self):
        self.config(JOB + "[job b]\nhandler = builtin noop\n")
        self.assertIn("no pool is running", self.stint("config", "diff", code=3).err)
        pool = self.pool(env={"STINT_POOL_WRITE_TIMEOUT": "5s"})
        self.assertIn("no difference", self.stint("config", "diff").err)
        self.config("[job a]\nhandler = exec /bin/true\ntimeout = 1m\n", workers=3,
                    socket="other.sock")
        out = self.stint("config", "diff").out
        self.assertEqual(out.replace(self.dir, "DIR"),
                         "needs a restart: stint stop, then stint run\n"
                         "  [pool] socket: DIR/stint.sock → DIR/other.sock\n"
                         "retires workers when they are empty: stint reload\n"
                         "  [job a] handler: builtin noop → exec /bin/true\n"
                         "  [job b] removed\n"
                         "at once: stint reload\n"
                         "  [pool] workers: 2 → 3\n"
                         "  [job a] timeout: 30m → 1m  (from the next attempt on)\n")
        found = self.stint("--json", "config", "diff").json
        self.assertTrue(found["needs_restart"] and found["retires_workers"])
        self.assertEqual(found["change_count"], len(found["changes"]))
        shown = self.stint("config", "show")
        self.assertIn("workers = 2\n", shown.out)  # what the pool accepted
        self.assertIn("config diff", shown.err)
        # A second configuration beside it is not taken for the pool's.
        self.write("other.conf", "[pool]\ndatabase = elsewhere/o.db\n")
        self.assertIn("elsewhere/o.db", self.stint("-c", "other.conf", "config", "show").out)
        self.stint("-c", "other.conf", "config", "diff", code=3)
        self.write("stint.conf", "[pool]\nworkers = x\n")
        self.stint("config", "diff", code=78)
        pool.stop()


class Secrets(ConfigTest):
    def begin(self, more=""):
        self.write("keys/api", SECRET + "\n")
        self.script("handler", 'printf "%s|%s|%s" "$KEY" "$PLAIN" "$HOME"')
        self.config("[template t]\nenv.KEY = @file:keys/api\nenv.PLAIN = a ; b\n"
                    "[job a]\nuse = t\nhandler = exec ./handler\nenv.HOME = /nowhere\n" + more)

    def test_texts_that_are_empty_or_begin_with_the_sign_of_a_secret(self):
        self.begin()
        self.script("handler", 'printf "%s|%s|%s" "$AT" "${NONE-unset}" "$HOME"')
        self.config("[job a]\nhandler = exec ./handler\nenv.HOME = /h\nenv.AT = @@file:x\n"
                    "env.NONE =\n")
        self.assertIn("env.AT = @@file:x\n", self.stint("config", "show").out)
        self.stint("add", "a", "k")
        self.stint("run", "--drain")
        self.assertEqual(self.result_of("k", "a"), "@file:x||/h")

    def test_a_secret_reaches_the_handler_and_nobody_else(self):
        self.begin()
        pool = self.pool()
        self.stint("add", "a", "k")
        self.wait_status("k", "a", "done")
        self.assertEqual(self.result_of("k", "a"), f"{SECRET}|a ; b|/nowhere")
        self.execute("DELETE FROM results")  # that one, the handler gave away itself
        self.write("keys/api", "An0ther\n")
        says = [self.stint(*words).out + self.stint(*words).err for words in (
            ("config", "show"), ("config", "show", "--origin"), ("--json", "config", "show"),
            ("config", "diff"), ("--json", "config", "diff"), ("check",), ("reload", "-n"),
            ("status",), ("events",), ("--json", "events"))]
        self.assertIn("  [job a] env.KEY: @file:keys/api → @file:keys/api (changed)  (from", says[3])
        for text in says:
            self.assertNotIn(SECRET, text)
            self.assertNotIn("An0ther", text)
        self.assertTrue(self.settings()["job a", "env.KEY"]["secret"])
        # In place: the same worker's next attempt has the new one.
        before = pool.worker_pids()
        self.stint("reload")
        self.stint("add", "a", "k2")
        self.wait_status("k2", "a", "done")
        self.assertEqual(self.result_of("k2", "a"), "An0ther|a ; b|/nowhere")
        self.assertEqual(sorted(pool.worker_pids()), sorted(before))
        pool.stop()
        self.execute("DELETE FROM results")
        self.execute("VACUUM")
        for text in (SECRET, "An0ther"):
            self.assertNotIn(text, pool.log())
            with open(self.database, "rb") as f:
                self.assertNotIn(text.encode(), f.read())

    def test_what_is_no_secret_is_refused_at_its_key(self):
        self.begin()
        line = "stint.conf:8: env.KEY: "
        key = self.path("keys/api")
        self.stint("check")
        for data, mode, words in (
                (b"x\n", 0o640, f"{key} may be read or written by others, so it is no secret; "
                                f"type: chmod 600 {key}"),
                (b"x\n", 0o604, "may be read or written by others"),
                (b"", 0o600, f"{key} is empty"),
                (b"\n", 0o600, f"{key} is empty"),
                (b"a\0b\n", 0o600, f"{key} holds a NUL byte"),
                (b"x" * 65537, 0o600, f"{key} is larger than 64K")):
            self.put("keys/api", data)
            os.chmod(key, mode)
            err = self.stint("check", code=78).err
            self.assertIn(line, err)
            self.assertIn(words, err)
            self.assertEqual(self.stint("run", "--drain", code=78).err.count(words), 1)
        self.put("keys/api", b"x" * 65536 + b"\n")
        self.stint("check")
        os.remove(key)
        self.assertIn(f"{line}there is no {key}", self.stint("check", code=78).err)
        os.mkdir(key)
        self.assertIn(f"{line}{key} is no regular file", self.stint("check", code=78).err)

    def test_credentials_of_the_service_manager(self):
        """The operator's shell has none: only the pool must."""
        self.write("credentials/api", SECRET)
        self.begin("env.CRED = @cred:api\n")
        self.script("handler", 'printf "%s" "$CRED"')
        self.stint("check")
        self.assertIn("there are no credentials", self.stint("run", "--drain", code=78).err)
        pool = self.pool(env={"CREDENTIALS_DIRECTORY": self.path("credentials")})
        self.stint("add", "a", "k")
        self.wait_status("k", "a", "done")
        self.assertEqual(self.result_of("k", "a"), SECRET)
        self.assertIn("no difference", self.stint("config", "diff").err)
        pool.stop()

    def test_a_discovery_has_its_job_s_variables(self):
        self.begin("discover = exec ./lister\n")
        self.script("lister", f'[ "$KEY" = {SECRET} ] && echo "{{\\"key\\": \\"found\\"}}"')
        self.stint("discover", "a")
        self.assertEqual(self.run_of("found")["status"], "pending")
        self.stint("run", "--drain")
        wait_until(lambda: self.run_of("found")["status"] == "done", "done")


if __name__ == "__main__":
    unittest.main(verbosity=2)
