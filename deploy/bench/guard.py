#!/usr/bin/env python3
"""Compares the instructions of each operation of the core with instructions.json: exit code 1 and the operation's name when one
grew by more than 5 %. What shrank as much is mentioned. UPDATE=1 writes the file anew, for a change that means to.

    instructions.json:  {"compiler": "...", "instructions": {"poll, 1,000,000 waiting": 611.2, ...}}

Counted by callgrind, as in core.py. Another compiler, C library or processor counts differently (they choose functions, such as
that of a copy), so the file says which wrote it. From the environment: UPDATE, WAITING_MAX (1000000), BENCHMARKS.
"""

import json
import os
import subprocess

import bench
import core
import servers

FILE = servers.HERE / "instructions.json"
WAITING_MAX = int(os.environ.get("WAITING_MAX") or 1_000_000)
TOLERANCE = 0.05


def main():
    with servers.scratch_folder("guard") as folder:
        found = core.counted(folder, core.built_library(folder), WAITING_MAX)
    counts = {core.label(*key): round(count, 1) for key, count in found.items()}
    compiler = subprocess.run(["swift", "--version"], capture_output=True, text=True, check=False).stdout.splitlines()[0]
    here = {"compiler": compiler, "processor": bench.machine()["processor"]}
    if os.environ.get("UPDATE") == "1":
        FILE.write_text(json.dumps(here | {"instructions": counts}, indent=2) + "\n")
        print(f"bench-guard: {len(counts)} counts written to {FILE.relative_to(servers.ROOT)}")
        return 0
    kept = json.loads(FILE.read_text())
    for name, value in here.items():
        if kept[name] != value:
            print(f"bench-guard: the counts were kept with another {name}: {kept[name]}, here {value}")
    return judge(kept["instructions"], counts)


def judge(kept, counts):
    """Prints what differs; 1 if anything grew too much, or is not in the file."""
    grown = 0
    for name, count in counts.items():
        if name not in kept:
            print(f"bench-guard: NEW      {name}: {count:,.1f}; UPDATE=1 keeps it")
            grown += 1
            continue
        change = count / kept[name] - 1
        if abs(change) > TOLERANCE:
            grown += change > 0
            word = "GREW  " if change > 0 else "shrank"
            print(f"bench-guard: {word}   {name}: from {kept[name]:,.1f} to {count:,.1f} ({change:+.1%})")
    for name in kept.keys() - counts.keys():
        print(f"bench-guard: gone     {name}")
    print(f"bench-guard: {len(counts)} operations, {grown} of them dearer by more than {TOLERANCE:.0%}")
    return 1 if grown else 0


if __name__ == "__main__":
    bench.run(main, "bench-guard")
