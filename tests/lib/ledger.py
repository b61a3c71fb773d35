"""The append-only file of the handlers, read back; and shell handlers that write it.

A line: begin|end|alive, item, stage, claim, attempt, pid, exit status, CLOCK_MONOTONIC ns; by tabs.
"""
import collections
import os

Line = collections.namedtuple("Line", "what item stage claim attempt pid status mono_ns")


def claim_number(text):
    life, _, seq = text.partition("-")
    return int(life) << 24 | int(seq)


def parse_line(text):
    words = text.split("\t")
    if len(words) != len(Line._fields):
        raise ValueError(f"not a line of a handler: {text!r}")
    what, item, stage, claim, attempt, pid, status, ns = words
    return Line(what, item, stage, claim_number(claim), int(attempt or 0), int(pid), int(status),
                int(ns))


def read(path):
    """All whole lines in the order in which they were written."""
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        text = f.read()
    return [parse_line(line) for line in text.split("\n")[:-1] if line]


def shell(ledger, body):
    """The text of a shell handler: begin line, BODY, end line with status 0. BODY may `exit N`."""
    line = ('printf "%s\\t%s\\t%s\\t%s\\t%s\\t%s\\t0\\t0\\n" {} "$STINT_ITEM" "$STINT_STAGE" '
            '"$STINT_CLAIM" "$STINT_ATTEMPT" $$ >>' + f"'{ledger}'\n")
    return ("#!/bin/sh\n" + line.format("begin") + body.rstrip("\n") + "\n" + line.format("end"))
