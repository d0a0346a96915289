#!/usr/bin/env python3
"""The pure core, in one process: what each operation costs in time and in instructions, with 1 thousand to 10 million
people waiting; what each person, hold, seat and account takes of memory; and how fast the simulator steps.

    benchmarks core ROUNDS       a line of JSON for each operation: CPU time, median of the rounds
    benchmarks core counted      the same under valgrind's callgrind, which counts only within the measured rounds (signs
                                 by counting.c), so that a line of 10 million is built at nearly full speed
    benchmarks memory THING      bytes each, by the allocator's own counters and by what became resident

Seconds depend on the machine and its neighbours. Instructions hardly do: the same binary gives the same numbers to within
a percent, and so `guard.py` holds them against those kept in the repository.

From the environment: ROUNDS (9, at most 33), WAITING_MAX (10000000), MEMORY_COUNT (1000000), and BENCHMARKS and SIMULATOR,
the binaries. Leaves bench/core.json.
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
ROUNDS = int(os.environ.get("ROUNDS") or 9)
WAITING_MAX = int(os.environ.get("WAITING_MAX") or 10_000_000)
MEMORY_COUNT = int(os.environ.get("MEMORY_COUNT") or 1_000_000)
SEEDS, STEPS = 50, 20_000
THINGS = {"waiting": 10, "held": 1, "sold": 1, "account": 1}  # how many times MEMORY_COUNT of each

# What is asked of the core: a second at least, of an operation at a line's length.
PER_SECOND = {("join", 100_000): 5e6, ("join", 1_000_000): 5e6, ("poll", 100_000): 10e6, ("poll", 1_000_000): 10e6,
              ("replay, a fact", 0): 3e6}
LAST_PLACE_RATIO = 2  # instructions for the place of the last of the longest line, over those of the shortest
BYTES_WAITING = 64


def main():
    servers.stop_on_signals()
    for binary in (BENCHMARKS, SIMULATOR):
        if not pathlib.Path(binary).exists():
            raise servers.ServerError(f"no {binary}; `make bench-core` builds it")
    with servers.scratch_folder("core") as folder:
        library = built_library(folder)
        operations = timed()
        for key, instructions in counted(folder, library, WAITING_MAX).items():
            operations[key]["instructions"] = instructions
        memory = [each for thing, times in THINGS.items() for each in remembered(library, thing, times * MEMORY_COUNT)]
    steps = simulated()
    goals = judged(operations, memory)
    print(table(operations, memory, steps, goals))
    bench.write_record("core.json", {
        "settings": {"rounds": ROUNDS, "waitingMax": WAITING_MAX, "memoryCount": MEMORY_COUNT},
        "operations": list(operations.values()), "memory": memory, "simulatorStepsPerSecond": steps, "goals": goals,
    })
    return 0


def say(text):
    print(f"bench-core: {text}", file=sys.stderr, flush=True)


# Measuring


def built_library(folder):
    library = folder / "counting.so"
    output([servers.program("cc", "bench-core"), "-O2", "-shared", "-fPIC", "-o", library, servers.HERE / "counting.c"])
    return library


def timed():
    """By name and number of people waiting."""
    operations = {}
    for each in lines([BENCHMARKS, "core", ROUNDS, WAITING_MAX], "timed"):
        operations[key_of(each)] = {"name": each["name"], "waiting": each["waiting"],
                                    "nanoseconds": each["nanoseconds"]}
    return operations


def counted(folder, library, waiting_max):
    """Instructions an operation, by name and number of people waiting."""
    found = counted_lines(folder, library, ["core", "counted", waiting_max])
    return {key_of(each): instructions for each, instructions in found}


def counted_lines(folder, library, words):
    """What `benchmarks WORDS` prints, line by line, with the instructions an operation. Debian's valgrind gives up at the debug
    information that Swift writes, so it gets a copy without; and Swift's hashes get the same seed each time."""
    valgrind = servers.program("valgrind", "bench-core")
    stripped = folder / "stripped"
    output([servers.program("strip", "bench-core"), "--strip-debug", "-o", stripped, BENCHMARKS])
    command = [valgrind, "--tool=callgrind", "--instr-atstart=no", f"--callgrind-out-file={folder / 'counts'}",
               stripped, *words]
    environment = {"LD_PRELOAD": str(library), "SWIFT_DETERMINISTIC_HASHING": "1"}
    for each in lines(command, "counted", environment):
        counts = folder / f"counts.{each['number']}"
        total = int(re.search(r"^summary: (\d+)", counts.read_text(), re.M).group(1))
        counts.unlink()
        yield each, total / each["operations"]


def remembered(library, thing, count):
    return list(lines([BENCHMARKS, "memory", thing, count], "memory", {"LD_PRELOAD": str(library)}))


def simulated():
    """Whole clusters, everything going wrong, every answer checked after every step."""
    rates = []
    for number in range(3):
        say(f"simulator, round {number + 1} of 3")
        begun = time.monotonic()
        run = output([SIMULATOR, "--seed", 1, "--seeds", SEEDS, "--steps", STEPS])
        rates.append(int(re.search(r"(\d+) steps,", run).group(1)) / (time.monotonic() - begun))
    return statistics.median(rates)


def lines(command, what, environment=None):
    """The JSON that a program prints, as it comes."""
    words = [str(word) for word in command]
    with subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                          env=os.environ | (environment or {}), preexec_fn=servers.end_with_parent) as process:
        for line in process.stdout:
            each = json.loads(line)
            waiting = f", {each['waiting']:,} waiting" if each.get("waiting") else ""
            say(f"{what}: {each['name']}{waiting}")
            yield each
        problem = process.stderr.read()
    if process.returncode != 0:
        raise servers.ServerError(f"{' '.join(words)} ended with {process.returncode}:\n{problem[-2000:]}")


def key_of(each):
    return each["name"], each["waiting"]


def output(command):
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise servers.ServerError(f"{command[0]} ended with {run.returncode}:\n{run.stdout}{run.stderr}")
    return run.stdout


# Telling


def judged(operations, memory):
    goals = []

    def add(what, value, goal, is_met):
        goals.append({"what": what, "value": value, "goal": goal, "met": is_met})

    for key, goal in PER_SECOND.items():
        if key in operations:
            rate = 1e9 / operations[key]["nanoseconds"]
            add(f"{label(*key)}, a second", rate, goal, rate >= goal)
    ends = sorted(waiting for name, waiting in operations if name == "poll of the last")
    if len(ends) > 1:
        first, last = (operations["poll of the last", waiting]["instructions"] for waiting in (ends[0], ends[-1]))
        add(f"poll of the last: instructions with {ends[-1]:,} waiting over {ends[0]:,}", last / first, LAST_PLACE_RATIO,
            last / first <= LAST_PLACE_RATIO)
    for each in memory:
        if each["name"] == "person waiting":
            add("bytes a person waiting, all told", each["allocated"], BYTES_WAITING, each["allocated"] <= BYTES_WAITING)
    return goals


def label(name, waiting):
    return f"{name}, {waiting:,} waiting" if waiting else name


def table(operations, memory, steps, goals):
    rows = ["", f"  {'operation':<40}{'ns each':>10}{'a second':>14}{'instructions':>14}"]
    rows += [f"  {label(each['name'], each['waiting']):<40}{each['nanoseconds']:>10.1f}{1e9 / each['nanoseconds']:>14,.0f}"
             f"{each.get('instructions', 0):>14.1f}" for each in operations.values()]
    rows += ["", f"  {'memory of one':<40}{'allocated':>10}{'resident':>14}{'of so many':>14}"]
    rows += [f"  {each['name']:<40}{each['allocated']:>8.1f} B{each['resident']:>12.1f} B{each['things']:>14,}"
             for each in memory]
    rows += ["", f"  the simulator: {steps:,.0f} steps a second", ""]
    rows += [f"  {'met' if each['met'] else 'NOT MET':<8} {each['what']}: {each['value']:,.2f}, goal {each['goal']:,.0f}"
             for each in goals]
    return "\n".join(rows) + "\n"


if __name__ == "__main__":
    servers.run(main, "bench-core")
