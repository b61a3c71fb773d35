"""What a process for each run costs: against a bare loop of posix_spawn, and against xargs -P."""
import os
import subprocess
import time

from rounds import in_turns
from serving import add, span

RUNS = 2000
WORKERS = (1, 2, 8)


def loop(bed, workers):
    done = subprocess.run([f"{bed.build}/tests/bench/spawn-loop", str(workers), str(RUNS),
                           noop(bed)], capture_output=True, text=True, check=True)
    return float(done.stdout)


def noop(bed):
    return f"{bed.build}/tests/bench/noop"


def xargs(bed, workers):
    path = os.path.join(bed.dir, "keys")
    with open(path, "w", encoding="utf-8") as f:
        f.writelines(f"k{n}\n" for n in range(RUNS))
    before = time.monotonic()
    subprocess.run(["xargs", "-a", path, "-P", str(workers), "-n", "1", noop(bed)], check=True)
    return RUNS / (time.monotonic() - before)


def stint(bed, workers, durability):
    bed.fresh()
    bed.config(f"[job e]\nhandler = exec {noop(bed)}\n", durability=durability, workers=workers)
    add(bed, "e", RUNS)
    bed.stint("run", "--drain")
    return RUNS / span(bed, "e")


def table(workers, found):
    floor = found["posix_spawn and waitpid"]
    return [{"what": f"{workers} × {name}", "per second": f"{each:.0f}",
             "of the loop": f"{each / floor:.2f}",
             "of xargs": f"{each / found['xargs -P']:.2f}"} for name, each in found.items()]


def execing(bed):
    rows = []
    for n in WORKERS:
        rows += table(n, in_turns({
            "posix_spawn and waitpid": lambda n=n: loop(bed, n),
            "xargs -P": lambda n=n: xargs(bed, n),
            "stint, durability normal": lambda n=n: stint(bed, n, "normal"),
            "stint, durability full": lambda n=n: stint(bed, n, "full")}))
    return rows
