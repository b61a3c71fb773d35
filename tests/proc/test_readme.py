"""What README.md tells a first user to type, typed as it stands there."""
import http.server
import os
import re
import shutil
import subprocess
import threading
import unittest

import path  # noqa: F401
from stint_test import BIN, ROOT, StintTest

with open(f"{ROOT}/README.md", encoding="utf-8") as readme:
    TEXT = readme.read()


def block(language, words):
    """The one code block of LANGUAGE that has WORDS in it."""
    found = [b for b in re.findall(rf"(?ms)^```{language}\n(.*?)^```$", TEXT) if words in b]
    assert len(found) == 1, f"{language} {words}: {len(found)} blocks"
    return found[0]


class Web(http.server.BaseHTTPRequestHandler):
    ANSWERS = {"/good": 200, "/gone": 404, "/busy": 503}

    def do_GET(self):  # noqa: N802
        code = self.ANSWERS[self.path]
        self.send_response(code)
        self.end_headers()
        if code == 200:
            self.wfile.write(b"three short words")

    def log_message(self, *args):
        pass


class Readme(StintTest):
    def type(self, text, code=0, stdin=""):
        env = self.environment({"HOME": self.dir, "PATH": f"{BIN}:{os.environ['PATH']}"})
        done = subprocess.run(["sh", "-c", text], cwd=self.dir, env=env, capture_output=True,
                              text=True, input=stdin, check=False, timeout=500)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done.stdout + done.stderr

    def test_ten_minutes(self):
        lines = block("sh", "stint init").splitlines()
        said = self.type("\n".join(line for line in lines if "./scripts/demo" not in line
                                   and "export PATH" not in line))
        self.assertIn("demo: 991 done, 9 failed", said)
        self.assertIn("picture-0111  measure  failed", said)
        self.assertTrue(os.path.getsize(self.path("stint-demo/out.csv")))
        said = self.type("cd ~/stint-demo\n" + block("sh", "sed -i 's/,0,/"))
        self.assertIn("9 reopened, 991 unchanged", said)
        self.assertIn("demo: 1,000 done, 0 failed", said)
        wrong = re.search(r"`(sed -i 's/\^workers[^`]*)`", TEXT)[1]
        said = self.type(f"cd ~/stint-demo\n{wrong}\nstint check", code=78)
        self.assertIn(re.search(r"`(stint.conf:\d+: unknown key [^`]*)`", TEXT)[1], said)

    def serve(self):
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Web)
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        self.addCleanup(thread.join)
        self.addCleanup(server.server_close)
        self.addCleanup(server.shutdown)
        return f"http://127.0.0.1:{server.server_port}"

    def test_a_pipeline_of_your_own(self):
        base = self.serve()
        self.write("stint.conf", block("ini", "[job shots]").replace("10s..10m", "1ms"))
        self.write("fetch.py", block("python", "urlopen"))
        self.write("measure.py", block("python", '["inputs"]'))
        self.write("urls.csv", f"key,depth\n{base}/good,2\n{base}/gone,1\n{base}/busy,1\n")
        typed = re.search(r"`(chmod \+x fetch.py measure.py)`, then `([^`]*)`", TEXT)
        self.type(f"{typed[1]} && {typed[2]}", code=1)  # two cannot be fetched
        self.assertEqual([r["result"] for r in
                          self.stint("--json", "results", "shots", "measure").rows],
                         [{"words": 3, "depth": 2}])
        rows = {r["key"].rpartition("/")[2]: r for r in
                self.stint("--json", "ls", "stage:fetch").rows}
        self.assertEqual([(rows[k]["status"], rows[k]["attempts"])
                          for k in ("good", "gone", "busy")],
                         [("done", 1), ("failed", 1), ("exhausted", 4)])
        self.assertIn("503", rows["busy"]["error"])

    def test_a_handler_that_says_more(self):
        program = self.write("measure.py", block("python", "stint.serve(measure)"), 0o700)
        shutil.copy(f"{ROOT}/conf/handlers/stint.py", self.dir)
        self.stint("handler-check", program)
        self.stint("handler-check", "--resident", program)

    def test_a_resource_a_template_and_a_secret(self):
        conf = block("ini", "[job shots]") + block("ini", "[template polite]")
        self.write("stint.conf", conf.replace("[stage shots.fetch]\n",
                                              "[stage shots.fetch]\nuse = polite\n"))
        for name in ("fetch.py", "measure.py"):
            self.script(name, "exit 0")
        self.write("urls.csv", block("", "key,depth"))
        self.stint("check", code=78)
        self.type(re.search(r"`(mkdir -m 700 keys[^`]*)`", TEXT)[1],
                  stdin="secret\n")
        self.stint("check")


if __name__ == "__main__":
    unittest.main(verbosity=2)
