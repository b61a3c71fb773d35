"""Reading /proc for the tests: who lives, who descends from whom, what it costs.

Used by the fixture, the torture and the benchmarks. Never signals by a pid that it has not just
seen; waiting for an end is done on a pidfd.
"""
import os
import re
import select
import signal


def pids():
    return [int(name) for name in os.listdir("/proc") if name.isdigit()]


def read(pid, name):
    """The file /proc/PID/NAME, or b'' when the process is gone or not ours to read."""
    try:
        with open(f"/proc/{pid}/{name}", "rb") as f:
            return f.read()
    except OSError:
        return b""


def stat(pid):
    """Fields of /proc/PID/stat from the state on ([0] state, [1] ppid, [11] utime …), or None."""
    text = read(pid, "stat").decode(errors="replace")
    return text[text.rindex(")") + 2:].split() if ")" in text else None


def state(pid):
    fields = stat(pid)
    return fields[0] if fields else ""


def blocks(pid, signum):
    """True when the process takes this signal in its own time."""
    mask = re.search(rb"^SigBlk:\s*([0-9a-f]+)", read(pid, "status"), re.M)
    return bool(mask and int(mask[1], 16) & 1 << (signum - 1))


def is_alive(pid):
    """True for a process that runs or may run again; a zombie has ended."""
    return state(pid) not in ("", "Z", "X")


def start_ticks(pid):
    fields = stat(pid)
    return int(fields[19]) if fields else 0


def comm(pid):
    return read(pid, "comm").decode(errors="replace").strip()


def argv(pid):
    return read(pid, "cmdline").decode(errors="replace").split("\0")[:-1]


def parents():
    """{pid: ppid} of everything that is there now, zombies too."""
    found = {}
    for pid in pids():
        fields = stat(pid)
        if fields:
            found[pid] = int(fields[1])
    return found


def children(pid):
    """Children by /proc/PID/task/TID/children where the kernel has it, else by a full look."""
    try:
        found = set()
        for tid in os.listdir(f"/proc/{pid}/task"):
            with open(f"/proc/{pid}/task/{tid}/children", encoding="ascii") as f:
                found |= {int(word) for word in f.read().split()}
        return sorted(found)
    except FileNotFoundError:
        return sorted(p for p, parent in parents().items() if parent == pid)
    except OSError:
        return []


def descendants(pid):
    todo, found = [pid], []
    while todo:
        kids = children(todo.pop())
        found += kids
        todo += kids
    return found


def marked(mark):
    """Live processes, but this one, that carry MARK ("NAME=value") in their environment."""
    wanted = mark.encode()
    return [p for p in pids() if p != os.getpid() and is_alive(p)
            and wanted in read(p, "environ").split(b"\0")]


def below(directory):
    """Live processes, but this one, whose working directory lies in DIRECTORY."""
    found = []
    for pid in pids():
        try:
            cwd = os.readlink(f"/proc/{pid}/cwd")
        except OSError:
            continue
        if pid != os.getpid() and (cwd + "/").startswith(directory.rstrip("/") + "/"):
            found.append(pid)
    return [p for p in found if is_alive(p)]


def pool_cgroup(directory):
    """The control group that a pool over this directory made and left; '' when there is none."""
    st = os.stat(directory)
    own = read("self", "cgroup").decode().split("0::", 1)[-1].split("\n")[0]
    for mount in ("/sys/fs/cgroup", "/sys/fs/cgroup/unified"):
        path = f"{mount}{own.rstrip('/')}/stint-{st.st_dev}-{st.st_ino}"
        if os.path.exists(path):
            return path
    return ""


def forget_pool_cgroup(directory):
    """Removes what a killed pool left over a directory that had this one's inode before."""
    for folder, _, _ in os.walk(pool_cgroup(directory) or os.devnull, topdown=False):
        os.rmdir(folder)


def describe(pid):
    return f"{pid} {state(pid)} ppid={parents().get(pid)} {' '.join(argv(pid)) or comm(pid)}"


def open_fds(pid):
    """What the process has open, as sorted link texts without the changing inode numbers."""
    found = []
    try:
        for fd in os.listdir(f"/proc/{pid}/fd"):
            found.append(os.readlink(f"/proc/{pid}/fd/{fd}").split(":[")[0])
    except OSError:
        pass
    return sorted(found)


def cpu_ticks(pid):
    """utime + stime of the process itself, in clock ticks."""
    fields = stat(pid)
    return int(fields[11]) + int(fields[12]) if fields else 0


def memory_kib(pid):
    """{'Pss': …, 'Private_Dirty': …} from smaps_rollup, in KiB."""
    found = {}
    for line in read(pid, "smaps_rollup").decode().splitlines()[1:]:
        words = line.split()
        found[words[0].rstrip(":")] = int(words[1])
    return found


def kill(pid, signum=signal.SIGKILL):
    """Signals the process that has this pid now; False when there is none."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return False
    try:
        signal.pidfd_send_signal(fd, signum)
        return True
    except ProcessLookupError:
        return False
    finally:
        os.close(fd)


def wait_gone(pid, timeout):
    """Waits for the end of a process (a zombie has ended); False when it still lives then."""
    try:
        fd = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        poll = select.poll()
        poll.register(fd, select.POLLIN)
        return bool(poll.poll(timeout * 1000))
    finally:
        os.close(fd)


WAL_WRITE_LOCK = 120  # byte of the -shm file that SQLite locks for the one writer


def write_lock_holder(database):
    """Pid that holds the write lock of an SQLite database in WAL mode; 0: nobody."""
    try:
        inode = os.stat(database + "-shm").st_ino
    except FileNotFoundError:
        return 0
    with open("/proc/locks", encoding="ascii") as f:
        for line in f:
            words = line.split()
            if (words[1] == "POSIX" and words[3] == "WRITE"
                    and words[5].endswith(f":{inode}")
                    and int(words[6]) <= WAL_WRITE_LOCK <= int(words[7].replace("EOF", "999999"))):
                return int(words[4])
    return 0
