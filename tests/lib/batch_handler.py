"""What test-handler is to one item, to a batch: a begin and an end line for each in the ledger file, some
milliseconds of work between, then its outcome. Run as `exec python3 batch_handler.py FILE MILLISECONDS`.
"""
import json
import os
import select
import sys
import time


def main():
    request = json.load(sys.stdin)
    fd = os.open(sys.argv[1], os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)

    def append(what, item):
        line = [what, item["key"], request["stage"], item["claim"], item["attempt"], os.getpid(), 0,
                time.monotonic_ns()]
        os.write(fd, ("\t".join(map(str, line)) + "\n").encode())

    def say(**message):
        os.write(3, (json.dumps(message) + "\n").encode())

    for item in request["items"]:
        append("begin", item)
        if item["key"].endswith("-note"):
            say(type="checkpoint", key=item["key"], data={"at": 1})
            say(type="cost", key=item["key"], usd=0.5)
        select.select([], [], [], int(sys.argv[2]) / 1000)  # the work
        append("end", item)
        say(type="done", key=item["key"], result={"stage": request["stage"]})


main()
