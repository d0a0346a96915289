#!/usr/bin/env python3
"""The speed of two pure parts: facts a second of replay, and steps a second of the simulator; and instructions of each.

Seconds depend on the machine and its neighbours, instructions hardly: they are counted by valgrind's callgrind, as the
difference between two runs that differ in one thing (one more replay of the same facts; twice the simulated steps), so
that starting up is not in them.

    replay     bytes of a journal's batches ─▶ facts ─▶ do they fit? ─▶ the shard's state      (no disk, no hashes)
    simulator  whole clusters, everything going wrong, every answer checked after every step

From the environment: ROUNDS (3), and BENCHMARKS and SIMULATOR, the binaries. Leaves bench/core.json.
"""

import json
import os
import pathlib
import re
import statistics
import subprocess
import sys
import time

import bench
import servers

BENCHMARKS = os.environ.get("BENCHMARKS") or servers.ROOT / ".build/release/benchmarks"
SIMULATOR = os.environ.get("SIMULATOR") or servers.ROOT / ".build/release/simulator"
VISITS, COUNTED_VISITS = 90_000, 3_000
SEEDS, STEPS = 50, 20_000
COUNTED_SEEDS, COUNTED_STEPS = 5, 2_000


def main():
    servers.stop_on_signals()
    for binary in (BENCHMARKS, SIMULATOR):
        if not pathlib.Path(binary).exists():
            raise servers.ServerError(f"no {binary}; `make bench-core` builds it")
    results = {"replay": replay(), "simulator": simulator()}
    print(f"\n  {'part':<12}{'a second':>12}{'ns each':>10}{'instructions each':>20}\n" + "\n".join(
        f"  {name:<12}{each['perSecond']:>12.0f}{1e9 / each['perSecond']:>10.0f}{each['instructions']:>20.0f}"
        f"   {each['unit']}" for name, each in results.items()) + "\n")
    bench.write_record("core.json", {"settings": {"rounds": bench.ROUNDS}, "results": results})
    return 0


def replay():
    def run(visits, rounds, under=()):
        return json.loads(output([*under, BENCHMARKS, "replay", visits, rounds]).stdout)

    measured = [run(VISITS, bench.ROUNDS) for _ in range(bench.ROUNDS)]
    facts = run(COUNTED_VISITS, 1)["facts"]
    counted = [instructions([BENCHMARKS, "replay", COUNTED_VISITS, rounds]) for rounds in (1, 2)]
    return {
        "unit": "facts",
        "perSecond": statistics.median(each["facts"] * 1e9 / each["nanoseconds"] for each in measured),
        "instructions": (counted[1] - counted[0]) / facts,
    }


def simulator():
    def command(seeds, steps):
        return [SIMULATOR, "--seed", 1, "--seeds", seeds, "--steps", steps]

    def steps_of(run):
        return int(re.search(r"(\d+) steps,", run.stdout).group(1))

    rates = []
    for _ in range(bench.ROUNDS):
        begun = time.monotonic()
        run = output(command(SEEDS, STEPS))
        rates.append(steps_of(run) / (time.monotonic() - begun))
    short, long = command(COUNTED_SEEDS, COUNTED_STEPS), command(COUNTED_SEEDS, 2 * COUNTED_STEPS)
    steps = steps_of(output(long)) - steps_of(output(short))
    return {
        "unit": "steps",
        "perSecond": statistics.median(rates),
        "instructions": (instructions(long) - instructions(short)) / steps,
    }


def output(command):
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise servers.ServerError(f"{command[0]} ended with {run.returncode}:\n{run.stdout}{run.stderr}")
    return run


def instructions(command):
    """All that a run executes in user space. Debian's valgrind gives up at the debug information that Swift writes, so
    it gets a copy without."""
    valgrind = servers.program("valgrind", "bench-core")
    with servers.scratch_folder("core") as folder:
        stripped = folder / "stripped"
        output([servers.program("strip", "bench-core"), "--strip-all", "-o", stripped, command[0]])
        run = output([valgrind, "--tool=callgrind", "--callgrind-out-file=/dev/null", stripped, *command[1:]])
    return int(re.search(r"Collected : (\d+)", run.stderr).group(1))


if __name__ == "__main__":
    try:
        sys.exit(main())
    except servers.ServerError as problem:
        sys.exit(f"bench: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
