"""Counts what meson's test programs report and prints "N passed, N failed" as the last line.

Usage: count_tests.py --status STATUS BUILD_DIR…   (STATUS: the exit status of `meson test`)

A program that counts its own cases (cmocka, unittest, TAP) is taken at its word; any other is one
test. A program that failed without naming a failed case counts as one failure more, so that the
numbers can never look better than meson's own verdict.
"""
import argparse
import json
import os
import re
import sys

CMOCKA_PASSED = re.compile(r"^\[  PASSED  \] (\d+) test\(s\)", re.M)
CMOCKA_FAILED = re.compile(r"^\[  FAILED  \].*?(\d+) test\(s\)", re.M)
CMOCKA_SKIPPED = re.compile(r"^\[  SKIPPED \].*?(\d+) test\(s\)", re.M)
UNITTEST = re.compile(r"^Ran (\d+) tests? in ", re.M)
UNITTEST_END = re.compile(r"^(?:OK|FAILED)(?: \((.*)\))?$", re.M)
TAP = re.compile(r"^(ok|not ok)\b(.*)$", re.M)


def numbers(pattern, text):
    return sum(int(n) for n in pattern.findall(text))


def own_count(text):
    """(passed, failed, skipped) as the program says, or None."""
    if CMOCKA_PASSED.search(text):
        return (numbers(CMOCKA_PASSED, text), numbers(CMOCKA_FAILED, text),
                numbers(CMOCKA_SKIPPED, text))
    if UNITTEST.search(text):
        total, bad, skipped = numbers(UNITTEST, text), 0, 0
        for detail in UNITTEST_END.findall(text):
            for name, n in re.findall(r"([a-z ]+)=(\d+)", detail):
                if name.strip() == "skipped":
                    skipped += int(n)
                elif name.strip() in ("failures", "errors", "unexpected successes"):
                    bad += int(n)
        bad = min(bad, total)
        return total - bad - skipped, bad, skipped
    results = TAP.findall(text)
    if results:
        bad = sum(1 for what, _ in results if what == "not ok")
        skipped = sum(1 for what, rest in results if what == "ok" and "# skip" in rest.lower())
        return len(results) - bad - skipped, bad, skipped
    return None


def count(test):
    """(passed, failed, skipped) of one entry of testlog.json."""
    text = test.get("stdout", "") + "\n" + test.get("stderr", "")
    is_ok = test["result"] in ("OK", "EXPECTEDFAIL")
    if test["result"] == "SKIP":
        return 0, 0, 1
    passed, failed, skipped = own_count(text) or (int(is_ok), 0, 0)
    if not is_ok and failed == 0:
        failed = 1
    return passed, failed, skipped


def entries(build_dir):
    path = os.path.join(build_dir, "meson-logs", "testlog.json")
    try:
        with open(path, encoding="utf-8", errors="replace") as log:
            return [json.loads(line) for line in log if line.strip()]
    except FileNotFoundError:
        return []


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--status", type=int, default=0)
    parser.add_argument("dirs", nargs="+")
    args = parser.parse_args()
    tests = [test for build_dir in args.dirs for test in entries(build_dir)]
    counts = [(test, *count(test)) for test in tests]
    for test, _, failed, skipped in counts:
        if failed:
            print(f"failed: {test['name']} ({test['result']})")
        elif skipped:
            print(f"skipped: {skipped} in {test['name']}")
    passed = sum(c[1] for c in counts)
    failed = sum(c[2] for c in counts)
    if args.status != 0 and failed == 0:
        print(f"meson test ended with exit status {args.status} though no test says that it failed")
        failed = 1
    if not tests:
        print("no test ran")
        failed = failed or 1
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
