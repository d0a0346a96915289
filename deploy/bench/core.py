#!/usr/bin/env python3
"""The pure core, in one process: time and instructions of each operation with 1 thousand to 10 million people waiting, the memory
of a person, hold, seat and account, and the speed of the simulator.

    benchmarks core ROUNDS       a line of JSON for each operation: CPU time, median of the rounds
    benchmarks core counted      the same under valgrind's callgrind, which counts only within the measured rounds (signs
                                 by counting.c), so that a line of 10 million is built at nearly full speed
    benchmarks memory THING      bytes each, by the allocator's own counters and by what became resident

Seconds depend on the machine and its neighbours. Instructions of the same binary vary by a percent at most, so guard.py compares
them with those kept in the repository.

From the environment: ROUNDS (9, at most 33), WAITING_MAX (10000000), MEMORY_COUNT (1000000), BENCHMARKS and SIMULATOR, the
binaries. Leaves bench/core.json.
"""

import json
import os
import re
import statistics
import subprocess
import time

import bench
import servers

SIMULATOR = os.environ.get("SIMULATOR") or servers.ROOT / ".build/release/simulator"
SEEDS, STEPS = 50, 20_000
THINGS = {"waiting": 10, "held": 1, "sold": 1, "account": 1}  # how many times MEMORY_COUNT of each

# Goals: operations a second at a line's length, instructions for the last place of the longest line over the shortest, bytes.
PER_SECOND = {("join", 100_000): 5e6, ("join", 1_000_000): 5e6, ("poll", 100_000): 10e6, ("poll", 1_000_000): 10e6,
              ("replay, a fact", 0): 3e6}
LAST_PLACE_RATIO = 2
BYTES_WAITING = 64


def main():
    rounds, waiting_max = bench.setting("ROUNDS", 9), bench.setting("WAITING_MAX", 10_000_000)
    memory_count = bench.setting("MEMORY_COUNT", 1_000_000)
    with servers.scratch_folder("core") as folder:
        library = built_library(folder)
        operations = {key_of(each): each for each in lines([bench.BENCHMARKS, "core", rounds, waiting_max], "timed")}
        for key, instructions in counted(folder, library, waiting_max).items():
            operations[key]["instructions"] = instructions
        memory = [each for thing, times in THINGS.items()
                  for each in lines([bench.BENCHMARKS, "memory", thing, times * memory_count], "memory", {"LD_PRELOAD": str(library)})]
    steps = simulated()
    tables = [
        bench.goals(*judged(operations, memory)),
        bench.Table(("operation", "ns each", "a second", "instructions"), [
            (label(*key), f"{each['nanoseconds']:,.1f}", f"{1e9 / each['nanoseconds']:,.0f}", f"{each.get('instructions', 0):,.0f}")
            for key, each in operations.items()]),
        bench.Table(("memory of one", "allocated", "resident", "of so many"), [
            (each["name"], f"{each['allocated']:.1f} B", f"{each['resident']:.1f} B", f"{each['things']:,}") for each in memory]),
        f"The simulator: {steps:,.0f} steps a second.",
    ]
    record = {"operations": list(operations.values()), "memory": memory, "simulatorStepsPerSecond": steps}
    return bench.finish("core", record, {"core": tables})


def built_library(folder):
    library = folder / "counting.so"
    output([servers.program("cc", "bench-core"), "-O2", "-shared", "-fPIC", "-o", library, servers.HERE / "counting.c"])
    return library


def counted(folder, library, waiting_max):
    """Instructions an operation, by name and number of people waiting."""
    return {key_of(each): count for each, count in counted_lines(folder, library, ["core", "counted", waiting_max])}


def counted_lines(folder, library, words):
    """What `benchmarks WORDS` prints, line by line, with the instructions an operation. Debian's valgrind can't read the debug
    information that Swift writes, so it gets a copy without; and Swift's hashes get the same seed each time."""
    stripped = folder / "stripped"
    output([servers.program("strip", "bench-core"), "--strip-debug", "-o", stripped, bench.BENCHMARKS])
    command = [servers.program("valgrind", "bench-core"), "--tool=callgrind", "--instr-atstart=no",
               f"--callgrind-out-file={folder / 'counts'}", stripped, *words]
    for each in lines(command, "counted", {"LD_PRELOAD": str(library), "SWIFT_DETERMINISTIC_HASHING": "1"}):
        counts = folder / f"counts.{each['number']}"
        total = int(re.search(r"^summary: (\d+)", counts.read_text(), re.M).group(1))
        counts.unlink()
        yield each, total / each["operations"]


def simulated():
    """Steps a second: whole clusters, everything going wrong, every answer checked after every step."""
    rates = []
    for number in range(3):
        bench.say(f"simulator, round {number + 1} of 3")
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
            bench.say(f"{what}: {each['name']}{waiting}")
            yield each
        problem = process.stderr.read()
    if process.returncode != 0:
        raise servers.ServerError(f"{' '.join(words)} ended with {process.returncode}:\n{problem[-2000:]}")


def key_of(each):
    return each["name"], each["waiting"]


def label(name, waiting):
    return f"{name}, {waiting:,} waiting" if waiting else name


def output(command):
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise servers.ServerError(f"{command[0]} ended with {run.returncode}:\n{run.stdout}{run.stderr}")
    return run.stdout


def judged(operations, memory):
    """Rows of the table of goals."""
    for key, goal in PER_SECOND.items():
        if key in operations:
            yield f"{label(*key)}: a second", "at least", goal, 1e9 / operations[key]["nanoseconds"], "{:,.0f}"
    ends = sorted(waiting for name, waiting in operations if name == "poll of the last")
    if len(ends) > 1:
        first, last = (operations["poll of the last", waiting]["instructions"] for waiting in (ends[0], ends[-1]))
        yield (f"poll of the last: instructions with {ends[-1]:,} waiting over {ends[0]:,}", "at most", LAST_PLACE_RATIO, last / first)
    for each in memory:
        if each["name"] == "person waiting":
            yield "bytes a person waiting", "at most", BYTES_WAITING, each["allocated"], "{:.0f}"


if __name__ == "__main__":
    bench.run(main, "bench-core")
