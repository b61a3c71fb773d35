"""run.py SECONDS FUZZER CORPUS: fuzzes from the files of a directory; what it finds is kept and named.

The corpus in the tree is read, never written: what is new goes to a directory of its own.
"""
import os
import shutil
import subprocess
import sys
import tempfile

seconds, fuzzer, corpus = sys.argv[1:]
work = tempfile.mkdtemp(prefix="stint-fuzz.")
new = os.path.join(work, "new")
shutil.copytree(corpus, new)
done = subprocess.run([os.path.abspath(fuzzer), f"-max_total_time={seconds}", "-max_len=4096", "-timeout=10",
                       "-rss_limit_mb=1024", "-print_final_stats=1", new], cwd=work, check=False)
if done.returncode == 0:
    shutil.rmtree(work)
else:
    print(f"what it found: {work}")
sys.exit(done.returncode)
