"""The whole command: wall time and peak memory of ``perijove process RAW --size 1600``.

Usage: ``python benchmarks/process.py RAW [RUNS]``. A first run compiles and caches the kernels and is not counted;
after it come RUNS (3) runs, each a process of its own from start to finish.
"""

import resource
import subprocess
import sys
import tempfile
import time


def run(raw: str, folder: str) -> float:
    """Seconds that one run takes."""
    command = [sys.executable, "-m", "perijove", "process", raw, "--size", "1600", "-q", "-o", folder]
    start = time.perf_counter()
    result = subprocess.run(command, capture_output=True, text=True, check=False)
    if result.returncode:
        sys.exit(result.stderr)
    return time.perf_counter() - start


def main(raw: str, runs: int) -> None:
    """Print both figures."""
    with tempfile.TemporaryDirectory() as folder:
        first = run(raw, folder)
        seconds = [run(raw, folder) for _ in range(runs)]
    # Of the largest child so far: Linux counts in KiB, macOS in bytes. Compiling may have taken more than a warm run.
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / (2**20 if sys.platform == "darwin" else 2**10)
    times = ", ".join(f"{s:.2f}" for s in seconds)
    print(f"first run {first:.2f} s; warm {min(seconds):.2f} s ({times}); peak memory of any run {peak:.0f} MiB")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 3)
