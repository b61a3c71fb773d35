"""The rules that the tree keeps: who may include whom, what stands in exactly one file, sizes.

Each rule is a function from files to a list of complaints; each is tried on the real tree, where it
must find nothing, and on a made-up offender, where it must find something.
"""
import os
import re
import sys
import unittest

sys.dont_write_bytecode = True

from sources import File, read_tree

ROOT = os.path.abspath(os.path.join(os.path.dirname(os.path.abspath(__file__)), "../../.."))
TREE = read_tree(ROOT)

BASE, CONFIG, IPC, STORE = "common/base", "common/config", "common/ipc", "common/store"
RECORDS, FILTER, PROTOCOL = "common/records", "common/filter", "common/protocol"
ALL_COMMON = {BASE, CONFIG, IPC, STORE}
MAY_INCLUDE = {
    BASE: set(),
    CONFIG: {BASE},
    IPC: {BASE},
    RECORDS: {BASE},
    FILTER: {BASE},
    PROTOCOL: {BASE},
    STORE: {BASE, CONFIG, IPC, FILTER},
    "supervisor": {BASE, CONFIG, IPC},
    "supervisor/keeper": ALL_COMMON,
    "worker": ALL_COMMON | {PROTOCOL},
    "worker/plugin": {BASE, PROTOCOL, "include"},
    "include": set(),
    "worker/discover": ALL_COMMON | {RECORDS},
    "cli": ALL_COMMON | {RECORDS, FILTER, PROTOCOL},
    "scripts": {BASE, CONFIG},
    "web": ALL_COMMON | {FILTER},
}
GENERATED = {"statements.h": STORE}
STORE_ALONE = {"statements.h", "common/store/driver.h"}
# What stands in exactly one .c (None: of the whole project; else of each of its folders).
ONE_FILE_CODE = {
    "fork": r"\b(v?fork|clone3?|posix_spawnp?)\s*\(",
    "waitid": r"\b(wait|waitpid|waitid|wait[34])\s*\(|\bSYS_wait",
    "getenv": r"\b(secure_)?getenv\s*\(",
}
ONE_FILE_HEADER = ["sqlite3.h", "libpq-fe.h", "ini.h"]
ONE_PER_FOLDER_HEADER = ["ev.h"]
# A second file of a module that does not bear its name.
OWNERS = {
    "common/store/inbox.c": "common/store/add.h",
    "common/store/rest.c": "common/store/settle.h",
    "common/store/sqlite.c": "common/store/driver.h",
    "scripts/options_text.c": "common/config/options.h",
}
# The handler of the tests: to take its time is the work that it plays.
MAY_SLEEP = {"tests/lib/test_handler.c"}
LINES_MAX, COLUMNS_MAX = 400, 100
SQL = re.compile(r"\b(SELECT\b.+\bFROM\b|INSERT\s+(OR\s+\w+\s+)?INTO|"
                 r"UPDATE\s+(OR\s+\w+\s+)?\w+\s+SET|DELETE\s+FROM|REPLACE\s+INTO|PRAGMA\s+\w|BEGIN\s+(IMMEDIATE|EXCLUSIVE)|"
                 r"(CREATE|DROP|ALTER)\s+(TEMP\s+)?(TABLE|INDEX|VIEW|TRIGGER))", re.S)
EVENT = re.compile(r"[a-z]+(\.[a-z_]+)+|run_start|run_end")
EVENT_CALL = re.compile(r"\b(log_begin|log_msg|\w*event\w*)\s*\(([^;{}]*)")


def product(files):
    """C files of the programs, without tests and the examples of what users write."""
    return [f for f in files if f.is_c and not f.is_test and not f.path.startswith("conf/")]


def layers(files):
    bad = []
    for f in product(files):
        if f.folder not in MAY_INCLUDE:
            bad.append(f"{f.path}: folder {f.folder} has no rule; add one to MAY_INCLUDE")
            continue
        for target in f.includes(r'"([^"]+)"'):
            folder = GENERATED.get(target, os.path.dirname(target))
            if folder != f.folder and folder not in MAY_INCLUDE[f.folder]:
                bad.append(f"{f.path}: may not include {target}")
        for target in f.includes(r'"([^"]+)"'):
            if f.folder != STORE and target in STORE_ALONE:
                bad.append(f"{f.path}: {target} belongs to common/store alone")
    return bad


def one_file(files, names, has, what, is_needed):
    """Complains unless exactly one (or, if not needed, at most one) .c has it, and no header."""
    bad = [f"{f.path}: {what} in a header" for f in files if f.name.endswith(".h") and has(f)]
    users = [f.path for f in files if f.name.endswith(".c") and has(f)]
    if len(users) > 1 or (is_needed and not users):
        bad.append(f"{what} in {names}: {' '.join(users) or 'nowhere'}; exactly one .c may have it")
    return bad


def one_place(files):
    bad, c = [], product(files)
    for name, pattern in ONE_FILE_CODE.items():
        def calls(f, p=re.compile(pattern)):
            return f.name.endswith(".c") and p.search(f.code)
        bad += one_file(c, "the project", calls, name, is_needed=True)
    for header in ONE_FILE_HEADER:
        def takes(f, h=header):
            return h in f.includes(r"<([^>]+)>")
        bad += one_file(c, "the project", takes, f"<{header}>", is_needed=header != "libpq-fe.h")
    for folder in sorted({f.folder for f in c}):
        for header in ONE_PER_FOLDER_HEADER:
            def takes(f, h=header):
                return h in f.includes(r"<([^>]+)>")
            bad += one_file([f for f in c if f.folder == folder], folder, takes, f"<{header}>",
                            is_needed=False)
    return bad


def no_sleep(files):
    bad = []
    for f in files:
        is_bound = f.is_c and f.path not in MAY_SLEEP
        if is_bound and re.search(r"\b(u|nano|clock_nano)?sleep\s*\(", f.code):
            bad.append(f"{f.path}: sleeps; wait for an event with a deadline")
        if f.name.endswith(".py") and re.search(r"\btime\." + r"sleep\b|\bfrom time import .*sleep",
                                                f.text):
            bad.append(f"{f.path}: sleeps; wait for a condition")
    return bad


def no_sql(files):
    return [f"{f.path}: SQL in a string: {s[:60]!r}; make it a file in sql/"
            for f in product(files) for s in f.strings if SQL.search(s)]


def modules(files):
    """Every .c has its .h; NAME_PART.c is a second file of the module NAME; else OWNERS knows."""
    bad, paths = [], {f.path for f in files}
    for f in product(files):
        stem = f.path[:-2]
        if f.name.endswith(".h") or f.name == "main.c" or f.name.startswith("cmd_"):
            continue
        folder, name = os.path.split(stem)
        parts = name.split("_")
        owners = ["_".join(parts[:n]) for n in range(len(parts), 0, -1)]
        headers = {f"{folder}/{owner}.h" for owner in owners} | {OWNERS.get(f.path)}
        if not headers & paths:
            bad.append(f"{f.path}: no header of the same name")
    return bad


def guards_and_heads(files):
    """A header opens with what it owns, who calls it, in which process."""
    return [f"{f.path}: begins without a comment" for f in product(files)
            if f.name.endswith(".h") and not f.text.startswith("/*")]


def sizes(files):
    bad = []
    for f in files:
        is_source = f.is_c or f.name.endswith((".py", ".awk")) or f.path.startswith("scripts/")
        if is_source and len(f.lines) > LINES_MAX:
            bad.append(f"{f.path}: {len(f.lines)} lines; at most {LINES_MAX}")
        for number, line in enumerate(f.lines, 1):
            if f.is_c and len(line) > COLUMNS_MAX:
                bad.append(f"{f.path}:{number}: {len(line)} columns; at most {COLUMNS_MAX}")
    return bad


def events_used(files):
    """{event: path} of every event that is logged or stored by C code."""
    used = {}
    for f in product(files):
        for call in EVENT_CALL.finditer(f.commentless):
            for literal in re.findall(r'"([^"\\]*)"', call[2]):
                if EVENT.fullmatch(literal):
                    used.setdefault(literal, f.path)
    return used


def events_documented(files):
    docs = [f for f in files if f.path == "docs/events.md"]
    if not docs:
        return []
    words = set(re.findall(r"`([a-z_.]+)`", docs[0].text))
    return [f"{path}: event {event} is not in docs/events.md"
            for event, path in events_used(files).items() if event not in words]


def no_machine_paths(files):
    place = re.compile(r"(?<![\w.~-])/(" + "|".join(["work", "root", "home"]) + r")/(?!\*)")
    return [f"{f.path}:{n}: a path of one machine: {line.strip()[:60]}"
            for f in files for n, line in enumerate(f.lines, 1) if place.search(line)]


RULES = [layers, one_place, no_sleep, no_sql, modules, guards_and_heads, sizes, events_documented,
         no_machine_paths]


class OnTheTree(unittest.TestCase):
    def test_tree_was_found(self):
        self.assertGreater(len(product(TREE)), 20)


def on_the_tree(rule):
    def test(self):
        found = rule(TREE)
        if found:
            self.fail("\n" + "\n".join(found))
    return test


for each in RULES:
    setattr(OnTheTree, f"test_{each.__name__}", on_the_tree(each))


class OnOffenders(unittest.TestCase):
    def offends(self, rule, path, text, *others):
        files = [File(path, text)] + [File(*o) for o in others]
        self.assertTrue([x for x in rule(files) if path in x], f"{rule.__name__} misses {text!r}")

    def passes(self, rule, path, text, *others):
        files = [File(path, text)] + [File(*o) for o in others]
        self.assertFalse([x for x in rule(files) if path in x])

    def test_layers(self):
        self.offends(layers, "supervisor/a.c", '#include "common/store/store.h"\n')
        self.offends(layers, "common/base/a.c", '#include "common/ipc/fds.h"\n')
        self.offends(layers, "worker/a.c", '#include "worker/discover/csv.h"\n')
        self.offends(layers, "cli/a.c", '  #  include "worker/cycle.h"\n')
        self.offends(layers, "worker/a.c", '#include "common/store/driver.h"\n')
        self.offends(layers, "worker/a.c", '#include "statements.h"\n')
        self.offends(layers, "worker/a.c", '#include "cycle.h"\n')
        self.offends(layers, "worker/a.c", '#include "common/records/records.h"\n')
        self.offends(layers, "common/records/a.c", '#include "common/store/add.h"\n')
        self.passes(layers, "cli/a.c", '#include "common/records/records.h"\n')
        self.passes(layers, "worker/a.c", '#include "common/store/store.h"\n#include <x.h>\n')

    def test_one_place(self):
        self.offends(one_place, "worker/b.c", "x = fork();", ("common/base/spawn.c", "fork ();"))
        self.offends(one_place, "worker/b.c", "waitpid(1)", ("common/base/p.c", "waitid(P_ALL)"))
        self.offends(one_place, "worker/b.c", "#include <ev.h>", ("worker/c.c", "#include <ev.h>"))
        self.offends(one_place, "worker/b.h", "#include <ev.h>")
        self.passes(one_place, "worker/b.c", "#include <ev.h>", ("cli/c.c", "#include <ev.h>"))
        self.passes(one_place, "worker/b.c", 'say("fork()"); /* getenv() */ await_fork(1);',
                    ("common/base/spawn.c", "fork()"), ("common/base/sys.c", "getenv(x)"))

    def test_no_sleep(self):
        self.offends(no_sleep, "tests/unit/a.c", "usleep(3);")
        self.offends(no_sleep, "tests/a.py", "time." + "sleep(1)")
        self.passes(no_sleep, "worker/a.c", 'run_sleep(3); x = "sleep(1)"; /* sleep(1) */')

    def test_no_sql(self):
        self.offends(no_sql, "common/store/a.c", 'x("SELECT a "\n  "FROM b")')
        self.offends(no_sql, "common/store/a.c", 'x("PRAGMA journal_mode")')
        self.passes(no_sql, "cli/a.c", 'x("select one from the list"); /* DELETE FROM x */')

    def test_modules(self):
        self.offends(modules, "worker/a.c", "")
        self.passes(modules, "worker/a.c", "", ("worker/a.h", ""))
        self.passes(modules, "worker/a_more.c", "", ("worker/a.h", ""))
        self.passes(modules, "cli/cmd_add.c", "")

    def test_sizes(self):
        self.offends(sizes, "worker/a.c", "\n" * 401)
        self.passes(sizes, "worker/a.c", "\n" * 400)
        self.offends(sizes, "worker/a.h", "x" * 101)
        self.offends(guards_and_heads, "worker/a.h", "#ifndef A\n")

    def test_events(self):
        docs = ("docs/events.md", "| `a.b` | |")
        self.offends(events_documented, "worker/a.c", 'log_msg(LOG, "c.d", "x");', docs)
        self.offends(events_documented, "worker/a.c", 'event_add(s, is ? "a.b" : "run_end");', docs)
        self.passes(events_documented, "worker/a.c", 'log_begin(&l, I, "a.b"); say("c.d");', docs)

    def test_no_machine_paths(self):
        for place in ("work", "root", "home"):
            self.offends(no_machine_paths, "README.md", f"see /{place}/x")
        self.passes(no_machine_paths, "README.md", "see sql/works/x and /worker/")


if __name__ == "__main__":
    unittest.main(verbosity=1)
