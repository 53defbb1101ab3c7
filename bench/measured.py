"""`vsm allocation …` in a child of its own; prints its wall time, processor time and largest memory as one JSON line."""

import json
import resource
import subprocess
import sys
from time import perf_counter

if __name__ == "__main__":
    began = perf_counter()
    code = subprocess.run([sys.executable, "-m", "vsm", "allocation", *sys.argv[1:]], stdout=subprocess.DEVNULL, check=False).returncode
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    print(json.dumps({"wall": perf_counter() - began, "processor": used.ru_utime + used.ru_stime, "memory": used.ru_maxrss / 1e6}))
    raise SystemExit(code)
