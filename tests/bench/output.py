"""Handlers that talk without end: what 10 GB of it cost a worker."""
import time

from waiting import wait_until

GB = 1000 * 1000 * 1000
# Name, command, GB. Messages are read one by one: a hundredth of it.
CASES = (("stderr, one endless line", "head -c {n} /dev/zero >&2", 10),
         ("stderr, short lines", "yes | head -c {n} >&2", 10),
         ("stdout beyond output_size", "head -c {n} /dev/zero", 10),
         ("descriptor 3, no line break", "head -c {n} /dev/zero >&3", 10),
         ("descriptor 3, log messages",
          "yes '{{\"type\":\"log\",\"text\":\"0123456789012345678901234567890123456789\"}}'"
          " | head -c {n} >&3", 0.1))


def peak_kib(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as f:
        return next(int(line.split()[1]) for line in f if line.startswith("VmHWM:"))


def processor_s(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / 100


def one(bed, name, command, size):
    job = "j"
    bed.fresh()
    bed.config(f"[job {job}]\nhandler = shell {command.format(n=size)}\nmax_attempts = 1\n"
               "[job small]\nhandler = shell echo small >&2\n", workers=1)
    bed.stint("add", "small", *[str(n) for n in range(100)])
    pool = bed.pool()
    bed.stint("wait", "small")
    worker = pool.role_pids("stint-worker")[0]
    peak, used, before = peak_kib(worker), processor_s(worker), time.monotonic()
    db = bed.reader()
    bed.stint("add", job, "k")
    wait_until(lambda: db.execute(
        "SELECT count(*) FROM item_stages WHERE status IN ('done', 'failed', 'exhausted')"
    ).fetchone()[0] == 101, name, 600)
    took = time.monotonic() - before
    row = {"what": name, "GB": size / GB, "s": f"{took:.1f}",
           "worker's processor s": f"{processor_s(worker) - used:.1f}",
           "worker grew KiB": max(0, peak_kib(worker) - peak),
           "end": db.execute("SELECT r.status FROM item_stages r JOIN work_items i ON"
                             " i.id = r.item_id WHERE i.item_key = 'k'").fetchone()[0]}
    db.close()
    pool.end()
    return row


def output(bed):
    return [one(bed, name, command, int(size * GB)) for name, command, size in CASES]
