"""stint handler-check: a good and a bad handler for each mistake that it names, and every handler of
docs/handlers.md as it stands there."""
import os
import re
import shutil
import subprocess

import path  # noqa: F401
import procs
from stint_test import ROOT, StintTest, main

RESIDENT = """#!/usr/bin/env python3
import json, os, sys, time
def say(**message):
    os.write(1, (json.dumps(message) + "\\n").encode())
def raw(text):
    os.write(1, text.encode())
def requests():
    for line in sys.stdin:
        yield json.loads(line)
"""
HELLO = "say(type='hello', protocol=1)\n"
GOOD = HELLO + """
for r in requests():
    if r['type'] == 'run':
        say(type='progress', id=r['id'], done=1)
        say(type='done', id=r['id'], result=1)
"""


class Check(StintTest):
    def check(self, *args, code, timeout="20s"):
        result = self.stint("handler-check", "--json", "--timeout", timeout, *args, code=code)
        self.assertEqual(result.json["ok"], code == 0)
        self.assertEqual(result.json["schema"], "stint.handler-check/1")
        return result.json

    def faults(self, found):
        return [f["text"] for f in found["findings"] if f["state"] == "fault"]

    def good(self, *args):
        return self.check(*args, code=0)

    def bad(self, words, *args, timeout="20s"):
        """The finding that says so, which is the first fault."""
        found = self.check(*args, code=1, timeout=timeout)
        faults = [f for f in found["findings"] if f["state"] == "fault"]
        self.assertIn(words, faults[0]["text"])
        return faults[0]


class Exec(Check):
    def handler(self, body):
        return self.script("handler", body)

    def test_a_crash_is_no_good_handler(self):
        program = self.write("crash", "#!/usr/bin/env python3\nfetch()\n", 0o700)
        fault = self.bad("exit status 1 on the sample request: NameError", program)
        self.assertIn("exit status 75", fault["fix"])
        self.bad("exit status 3 on the sample request: oh", self.handler("echo oh >&2; exit 3"))
        for code in (65, 75, 99):
            self.good(self.handler(f"exit {code}"))

    def test_the_program_is_missing(self):
        self.assertIn("PROGRAM is missing", self.stint("handler-check", code=2).err)

    def test_good_ones(self):
        found = self.good(self.handler("printf '{\"words\":1}'"))
        self.assertEqual(found["kind"], "exec")
        self.assertIn("done by exit status 0, a result of 11 bytes", found["outcome"])
        found = self.good(self.handler("""echo '{"type":"progress","done":1}' >&3
            echo '{"type":"retry","why":"HTTP 503","after":30,"new_member":1}' >&3"""))
        self.assertEqual((found["outcome"], found["messages"]),
                         ("retry: HTTP 503, after 30000 ms", 2))
        self.assertIn("exit status 75: oh no", self.good(self.handler("echo oh no >&2; exit 75"))
                      ["outcome"])

    def test_what_it_is_given(self):
        found = self.good("--key", "a b", "--data", '{"x": [1, 2]}', self.handler(
            """[ "$STINT_ITEM/$STINT_JOB/$STINT_ATTEMPT/$STINT_CONTROL_FD" = 'a b/check/1/3' ] || exit 78
            grep -q '"key":"a b","data":{"x":\\[1,2\\]},"attempt":1,' || exit 77"""))
        self.assertEqual(found["outcome"], "done by exit status 0, a result of 0 bytes")

    def test_one_that_others_may_write(self):
        handler = self.handler("true")
        os.chmod(handler, 0o777)
        self.assertIn("chmod go-w", self.bad("the pool refuses it", handler)["text"])

    def test_a_message_over_several_lines(self):
        fault = self.bad("line 1 of descriptor 3", self.handler(
            """printf '{\\n"type":"done"\\n}\\n' >&3"""))
        self.assertIn("a message is one line", fault["fix"])

    def test_bad_json_has_its_column(self):
        fault = self.bad("line 2 of descriptor 3: not valid JSON", self.handler(
            """echo '{"type":"progress","done":1}' >&3; echo '{"type":"done" "result":1}' >&3"""))
        self.assertEqual(fault["said"], '{"type":"done" "result":1}')
        self.assertIn(fault["column"], range(15, 25))

    def test_the_caret_stands_below_the_place(self):
        self.handler("""echo '{"type":"cost","usd":"dear"}' >&3""")
        lines = self.stint("handler-check", "./handler", code=1).out.splitlines()
        self.assertIn('"usd" of cost must be a number', lines[0])
        self.assertEqual(lines[2].index("^"), lines[1].index('"dear"'))

    def test_the_caret_in_a_long_line_with_odd_characters(self):
        self.handler("""printf '{"type":"log","text":"é\\\\t%0300d","level":"loud"}\\n' 0 >&3""")
        lines = self.stint("handler-check", "./handler", code=1).out.splitlines()
        self.assertEqual(lines[2].index("^"), lines[1].index('"loud"'))
        self.assertLess(len(lines[1]), 100)

    def test_grammar(self):
        for line, words in (('["done"]', "not a JSON object"), ('{"result":1}', 'without "type"'),
                            ('{"type":"spawn"}', 'spawn without "items"'),
                            ('{"type":"doen"}', 'unknown type; did you mean "done"?'),
                            ('{"type":"hello","protocol":1}', "only residents say it"),
                            ('{"type":"done","id":5}', "id 5 is not the request's")):
            with self.subTest(line):
                self.bad(words, self.handler(f"echo '{line}' >&3"))

    def test_two_outcomes(self):
        self.bad("done after the outcome, which was skip: dropped", self.handler(
            """printf '{"type":"skip"}\\n{"type":"done"}\\n' >&3"""))
        self.good(self.handler(
            """printf '{"type":"skip"}\\n{"type":"cost","usd":1}\\n' >&3"""))

    def test_messages_in_the_wrong_place(self):
        fault = self.bad("a message on standard output", self.handler(
            """echo hello; echo '{"type":"done","result":1}'"""))
        self.assertIn(">&3", fault["fix"])

    def test_its_end(self):
        self.bad("killed by signal 11", self.handler("kill -SEGV $$"))
        for code in (77, 78, 126, 127):
            self.bad(f"exit status {code}: bad luck: its stage would be paused",
                     self.handler(f"echo bad luck >&2; exit {code}"))
        found = self.good(self.handler("""echo '{"type":"done"}' >&3; exit 1"""))
        self.assertIn("it means nothing", found["findings"][0]["text"])

    def test_too_slow_too_much(self):
        gate = self.gate()
        self.bad("still runs after 300 ms", self.handler(gate), timeout="300ms")
        self.bad("more than 1 MiB on standard output",
                 self.handler("head -c 1100000 /dev/zero | tr '\\0' x"))
        self.bad("longer than 1048576 bytes", self.handler("head -c 1100000 /dev/zero | tr '\\0' x >&3"))

    def test_what_it_leaves_behind_is_ended(self):
        gate = self.gate()
        found = self.good(self.handler(f"(setsid sh -c \"{gate}\") & :"))
        self.assertIn("running: the pool ends them", found["findings"][0]["text"])
        self.assertEqual([procs.describe(p) for p in self.alive()], [])

    def test_what_cannot_start(self):
        self.bad("no such file", "./none")
        self.bad("chmod +x", self.write("plain", "#!/bin/sh\n", 0o600))
        self.bad("not a program", self.write("text", "hello\n", 0o700))

    def test_wrong_use(self):
        self.assertIn("--data is not JSON",
                      self.stint("handler-check", "--data", "{x", "true", code=2).err)
        self.stint("handler-check", "--key", "a\nb", "true", code=2)
        self.stint("handler-check", code=2)


class Resident(Check):
    def handler(self, body):
        return self.write("handler", RESIDENT + body, 0o700)

    def bad_resident(self, words, body, timeout="20s"):
        return self.bad(words, "--resident", self.handler(body), timeout=timeout)

    def test_a_good_one(self):
        found = self.good("--resident", self.handler(GOOD))
        self.assertEqual((found["kind"], found["messages"], found["findings"]), ("resident", 7, []))

    def test_it_is_found_out(self):
        self.assertEqual(self.good(self.handler(GOOD))["kind"], "resident")

    def test_no_hello(self):
        fault = self.bad_resident("no hello within 300 ms", "list(requests())", timeout="300ms")
        self.assertIn('{"type":"hello","protocol":1}', fault["fix"])
        self.bad_resident("its first line is done", GOOD.replace("say(type='hello', protocol=1)",
                                                                "say(type='done', id=1)"))
        self.bad_resident("ended with exit status 1 before it said hello: KeyError: 'token'",
                          "os.environ={}; os.environ['token']")
        self.bad_resident("protocol 2 is unknown", GOOD.replace("protocol=1", "protocol=2"))
        self.bad_resident('hello without "protocol"', "say(type='hello')")

    def test_text_on_standard_output(self):
        fault = self.bad_resident("line 2 of standard output: not valid JSON", GOOD.replace(
            "say(type='progress', id=r['id'], done=1)", "raw('working…\\n')"))
        self.assertEqual((fault["said"], fault["column"]), ("working…", 1))
        self.assertIn("print to standard error", fault["fix"])

    def test_ids(self):
        fault = self.bad_resident('progress without "id"', GOOD.replace("id=r['id'], done", "done"))
        self.assertEqual(fault["said"], '{"type": "progress", "done": 1}')
        self.bad_resident("progress for id 8, which was not asked",
                          GOOD.replace("id=r['id'], done", "id=8, done"))
        self.bad_resident("done for id 1, which was answered before",
                          GOOD + "        say(type='done', id=r['id'])\n")
        self.bad_resident("fail for id 3, which was answered before", GOOD + "say(type='fail', id=3)")
        self.bad_resident("a second hello", GOOD + HELLO)

    def test_it_must_go_on(self):
        self.bad_resident("with exit status 0 instead of answering a second request",
                          GOOD + "        break\n")
        self.bad_resident("exit status 1 instead of answering a second request, or at a message that "
                          "it must ignore: KeyError: 'key'", GOOD.replace(
                              "if r['type'] == 'run':", "if r['key']:"))
        self.bad_resident("was killed by signal 9 instead of answering",
                          HELLO + "next(requests()); os.kill(os.getpid(), 9)")

    def test_cancel(self):
        self.bad_resident("no outcome for id 1 within 400 ms", HELLO + """
for r in requests():
    if r['type'] == 'cancel': say(type='retry', id=r['id'])""", timeout="400ms")
        found = self.check("--resident", self.handler(HELLO + "list(requests())"), code=1,
                           timeout="400ms")
        self.assertIn("a cancel was not answered either", self.faults(found)[1])
        self.bad_resident("exit status 1: KeyError: 'x' after", GOOD + """
    elif r['type'] == 'cancel' and r['id'] == 3:
        {}['x']""")

    def test_end_of_input(self):
        self.bad_resident("did not end it within 400 ms", GOOD + f"open('{self.hold()}').read()",
                          timeout="400ms")
        self.bad_resident("exit status 4: bye after the end of its standard input; it must be 0",
                          GOOD + "sys.stderr.write('bye\\n'); sys.exit(4)")

    def hold(self):
        self.gate("held")
        return self.path("held")

    def test_verbose_shows_the_talk(self):
        result = self.stint("-v", "handler-check", "--resident", self.handler(GOOD), code=0)
        self.assertRegex(result.err, r'(?m)^> \{"type":"run","id":1,')
        self.assertRegex(result.err, r'(?m)^< \{"type": "done", "id": 1, "result": 1\}')
        self.assertIn("a good handler: no fault as a resident handler", result.err)
        self.assertEqual(result.out, "")


INTERPRETERS = {"sh": "sh", "python": "python3", "js": "node", "perl": "perl", "c": "cc"}


class Batch(Check):
    """Asked about two items in one request."""
    LOOP = ("#!/usr/bin/env python3\nimport json, os, sys\n"
            "def say(**m): os.write(3, (json.dumps(m) + '\\n').encode())\n"
            "items = json.load(sys.stdin)['items']\nkeys = [i['key'] for i in items]\n")

    def exec(self, body):
        self.write("handler", self.LOOP + body, 0o700)
        return "--batch", "--key", "k", "./handler"

    def resident(self, body):
        self.write("handler", RESIDENT + HELLO + "for r in requests():\n"
                   "    if r['type'] != 'run': continue\n" + body, 0o700)
        return "--batch", "--resident", "--key", "k", "./handler"

    def test_good_ones(self):
        found = self.good(*self.exec(
            "assert 'STINT_ITEM' not in os.environ\n"
            "say(type='cost', usd=1)\nfor k in keys: say(type='progress', key=k, done=1)\n"
            "for k in keys: say(type='done', key=k, result=1)\n"
            "say(type='log', key=keys[0], text='late')\n"))
        self.assertEqual((found["kind"], found["outcome"], found["messages"]),
                         ("exec", "done, a result of 1 bytes", 6))
        self.good(*self.exec("say(type='skip')\n"))  # all of them
        self.good(*self.resident(
            "    for i in r['items']: say(type='done', id=r['id'], key=i['key'])\n"))

    def test_a_missing_outcome(self):
        fault = self.bad('no outcome was said for "another", and exit status 0',
                         *self.exec("say(type='done', key='k')\n"))
        self.assertIn("descriptor 3", fault["fix"])
        found = self.good(*self.exec("say(type='done', key='k')\nsys.exit(65)\n"))
        self.assertIn("exit status 65 says what becomes of it", found["findings"][0]["text"])
        self.bad('no outcome for id 1 and item "another" within', *self.resident(
            "    say(type='done', id=r['id'], key='k')\n"), timeout="500ms")

    def test_keys(self):
        self.bad("an item that is not in the batch", *self.exec(
            "say(type='done', key='K')\nsay(type='done')\n"))
        self.bad('progress without "key"', *self.exec(
            "say(type='progress', done=1)\nsay(type='done')\n"))
        self.bad("an item that was answered before", *self.exec(
            "say(type='done')\nsay(type='fail', key='k')\n"))
        self.bad("an item that is not in the batch", *self.resident(
            "    say(type='done', id=r['id'], key='K')\n    say(type='done', id=r['id'])\n"))

    def test_standard_output_is_no_result(self):
        found = self.good(*self.exec("print(1)\nsay(type='done')\n"))
        self.assertEqual(found["findings"][0]["text"], "standard output is no result in a batch")


class Specification(Check):
    """Whoever writes a handler from docs/handlers.md alone gets one that works."""

    def examples(self):
        with open(os.path.join(ROOT, "docs", "handlers.md"), encoding="utf-8") as f:
            return re.findall(r"```(sh|python|js|perl|c)\n(#!.*?|/\*.*?)```", f.read(), re.S)

    def program(self, language, text):
        name = f"handler.{language}"
        self.write(name, text, 0o700)
        if text.startswith("/* plugin */"):
            subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC", "-o",
                            self.path("handler.so"), f"-I{ROOT}/include", self.path(name)], check=True)
            os.chmod(self.path("handler.so"), 0o755)
            return "./handler.so"
        if language == "c":
            subprocess.run(["cc", "-Wall", "-Wextra", "-Werror", "-o", self.path("handler"),
                            self.path(name)], check=True)
            name = "handler"
        return f"./{name}"

    def can_run(self, language):
        if language == "perl":
            return subprocess.run(["perl", "-MJSON::PP", "-e", "1"], capture_output=True,
                                  check=False).returncode == 0
        return shutil.which(INTERPRETERS[language])

    def test_every_handler_is_good(self):
        self.write("two words", "one two  three\nfour\n")
        examples = [e for e in self.examples() if self.can_run(e[0])]
        self.assertGreaterEqual(len(examples), 3)
        for language, text in examples:
            with self.subTest(language=language, text=text):
                program = self.program(language, text)
                program = ["--batch", program] if "batch" in text[:60] else [program]
                found = self.good("--key", "two words", *program)
                self.assertIn("exec" if "exec" in text[:60] or "STINT_ITEM" in text else "resident", found["kind"])
                self.assertIn("done", found["outcome"])
                if "fail" in text:
                    self.assertIn("fail: cannot read the file",
                                  self.good("--key", "none", *program)["outcome"])

    def test_all_languages_are_there(self):
        self.assertEqual({language for language, _ in self.examples()}, set(INTERPRETERS))

    def test_every_message_is_right(self):
        with open(os.path.join(ROOT, "docs", "handlers.md"), encoding="utf-8") as f:
            block = re.search(r'```json\n(\{"type":"progress".*?)```', f.read(), re.S)[1]
        first = [x for x in block.splitlines() if '"log"' not in x]
        for line in first:
            body = f"cat >/dev/null\ncat >&3 <<'END'\n{line.replace(':7,', ':1,')}\nEND\n"
            self.good(self.script("says", body))


if __name__ == "__main__":
    main()
