#!/usr/bin/python3
"""bench: what stint costs and how fast it is, as tables. Not a test: it judges nothing.

  bench.py [BUILD] [--json FILE] [--only NAME]

BUILD is a build directory with release programs (default: ./build), best made by
  meson setup build --buildtype=release
"""
import argparse
import json
import os
import platform
import shutil
import sys
import tempfile
import time

sys.dont_write_bytecode = True
HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "lib"))

import measures
from bed import Bed


def show(title, rows):
    """One table: the first column left, numbers right."""
    head = list(rows[0])
    cells = [head] + [[str(r[h]) for h in head] for r in rows]
    widths = [max(len(line[i]) for line in cells) for i in range(len(head))]
    print(f"\n{title}")
    for line in cells:
        print("  " + "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w)
                               for i, (cell, w) in enumerate(zip(line, widths))))
    sys.stdout.flush()


def main():
    p = argparse.ArgumentParser(prog="bench.py", description=__doc__.split("\n")[0])
    p.add_argument("build", nargs="?", default=os.path.join(ROOT, "build"))
    p.add_argument("--json", metavar="FILE")
    p.add_argument("--only", choices=sorted(measures.ALL), action="append")
    p.add_argument("--dir", default=None, help="where the databases lie (default: TMPDIR)")
    options = p.parse_args()
    found = {"machine": f"{platform.machine()} {platform.release()} {os.cpu_count()} cores",
             "load": os.getloadavg()[0], "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
    print(f"{found['machine']}, load {found['load']:.2f} before it began, {found['at']}")
    for name in options.only or measures.ALL:
        title, measure = measures.ALL[name]
        directory = tempfile.mkdtemp(prefix="stint-bench-", dir=options.dir)
        try:
            with Bed(directory, os.path.abspath(options.build)) as bed:
                found[name] = measure(bed)
        finally:
            shutil.rmtree(directory, True)
        show(title, found[name])
    if options.json:
        with open(options.json, "w", encoding="utf-8") as f:
            json.dump(found, f, indent=1)
            f.write("\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
