"""Completion: what the table offers, through stint itself and through the real shells."""
import os
import shutil
import subprocess
import unittest

import path  # noqa: F401
from stint_test import BIN, StintTest

JOBS = "[job news]\nstages = fetch parse\n[stage news.fetch]\nhandler = builtin noop\n" \
       "[stage news.parse]\nhandler = builtin noop\n[job other]\nhandler = builtin noop\n"

# Asks the script as bash does: words cut at blanks, = and :, the cursor at the end.
BASH = r"""
eval "$(stint completion bash)"
line=$1
COMP_WORDS=() word=
for ((i = 0; i < ${#line}; i++)); do
    c=${line:i:1}
    case $c in
    ' ') [ -n "$word" ] && COMP_WORDS+=("$word"); word= ;;
    [=:]) [ -n "$word" ] && COMP_WORDS+=("$word"); COMP_WORDS+=("$c"); word= ;;
    *) word+=$c ;;
    esac
done
case $line in *[=:]) ;; *) COMP_WORDS+=("$word") ;; esac
COMP_CWORD=$((${#COMP_WORDS[@]} - 1))
compopt() { echo "compopt $*"; }
_stint
printf '%s\n' "${COMPREPLY[@]}"
"""


class Completion(StintTest):
    def setUp(self):
        super().setUp()
        self.config(JOBS)

    def offered(self, *words, cwd=None):
        out = self.stint("completion", "--candidates", "--", *words, cwd=cwd).out
        return [line.split("\t")[0] for line in out.splitlines()]

    def commands(self):
        return self.stint("help", "--json").json

    def test_every_command_and_option_is_offered(self):
        table = self.commands()
        shared = {f"--{o['name']}" for o in table["options"]}
        for command in table["commands"]:
            *before, word = command["name"].split()
            self.assertIn(word, self.offered(*before, ""))
            if command["alias"]:
                self.assertIn(command["alias"], self.offered(""))
            own = {f"--{o['name']}" for o in command["options"]}
            offered = set(self.offered(*command["name"].split(), "--"))
            self.assertEqual(offered, own | shared, command["name"])

    def test_what_belongs_where(self):
        for words, expected in (
                (["sta"], ["status"]), (["unp"], ["unpause"]), (["db", ""], ["check", "backup"]),
                (["pause", "n"], ["news", "news.fetch", "news.parse"]), (["status", "x"], []),
                (["status", "news", ""], []), (["results", "news", "p"], ["parse"]),
                (["--color", "al"], ["always"]), (["status", "--color=n"], ["--color=never"]),
                (["wait", "--timeout", ""], []), (["add", "news", "--from", ""], [":file"]),
                (["-c", ""], [":file"]), (["init", ""], [":dir"]), (["db", "backup", ""], [":file"]),
                (["ls", "job:n"], ["job:news"]), (["retry", "status:fa"], ["status:failed"]),
                (["ls", "job:news", "stage:p"], ["stage:parse"]), (["help", "db", "b"], ["backup"]),
                (["ls", "-statu"], ["-status:"]), (["ls", "-status:fa"], ["-status:failed"]),
                (["ls", "-job:news", "stage:p"], ["stage:parse"]), (["status", "-statu"], []),
                (["completion", ""], ["bash", "fish", "zsh"]), (["frobnicate", ""], []),
                (["-q", "--json", "check", "--ver"], ["--version", "--verbose"]),
                (["db", "frobnicate", ""], []), (["status", "--", "--c"], [])):
            self.assertEqual(sorted(self.offered(*words)), sorted(expected), words)

    def test_the_configuration_named_on_the_line_counts(self):
        self.write("elsewhere.conf", "[job far]\nhandler = builtin noop\n")
        for words in (["-c", "elsewhere.conf"], ["--config=elsewhere.conf"]):
            self.assertEqual(self.offered(*words, "status", ""), ["far"])
        self.write("stint.conf", "[job broken\n")
        self.assertEqual(self.offered("status", ""), [])
        self.assertEqual(self.offered("status", "", cwd=self.tmp), [])

    def shell(self, argv):
        env = self.environment({"PATH": f"{BIN}:{os.environ['PATH']}", "HOME": self.dir,
                                "TERM": "dumb"})
        done = subprocess.run(argv, cwd=self.dir, env=env, capture_output=True, text=True,
                              stdin=subprocess.DEVNULL, timeout=120, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout.split("\n")[:-1]

    def test_in_bash(self):
        for line, expected in (
                ("stint sta", ["status"]), ("stint pause news.f", ["news.fetch"]),
                ("stint status --color=al", ["always"]), ("stint ls job:n", ["news"]),
                ("stint ls status:failed job:o", ["other"]), ("stint db ", ["check", "backup"]),
                ("stint status --color=", ["auto", "always", "never"]),
                ("stint db backup ", ["compopt -o default", ""]), ("stint ls ke", [
                    "compopt -o nospace", "key:"]), ("stint wait --timeout ", [""])):
            self.assertEqual(self.shell(["bash", "-c", BASH, "bash", line]), expected, line)

    @unittest.skipUnless(shutil.which("fish"), "fish is not installed")
    def test_in_fish(self):
        said = self.shell(["fish", "-c", "stint completion fish | source; "
                           "complete -C 'stint pause news.f'; complete -C 'stint db '"])
        self.assertEqual(sorted(line.split("\t")[0] for line in said),
                         ["backup", "check", "news.fetch"])

    @unittest.skipUnless(shutil.which("zsh"), "zsh is not installed")
    def test_in_zsh(self):
        self.write("_stint", self.stint("completion", "zsh").out)
        self.shell(["zsh", "-n", self.path("_stint")])
        said = self.shell(["zsh", "-fc", """
            compdef() { }
            eval "$(stint completion zsh)"
            _describe() { print -rl -- $found }
            _files() { print -- files $* }
            words=(stint ls job:n) CURRENT=3; _stint
            words=(stint db '') CURRENT=3; _stint
            words=(stint db backup '') CURRENT=4; _stint"""])
        self.assertEqual(said, ["job\\:news:job", "check:is the database sound?",
                                "backup:copy the database while the pool runs", "files"])

    def test_an_unknown_shell(self):
        self.assertIn("bash, zsh, fish", self.stint("completion", "tcsh", code=2).err)
        self.assertIn("SHELL is missing", self.stint("completion", code=2).err)


if __name__ == "__main__":
    unittest.main()
