"""How long polls take at half of what Usher can do, at Usher and at nginx, at the same rate.

    core 1: the load ─▶ core 0: all processes of the server

The load and the server have a core each (where there are two), so that neither waits for the other's. What Usher carries
there is found first, by wrk as fast as it goes; then half of it is offered to each in turn by `benchmarks openload`: polls
come at random moments whether others were answered or not, and each latency counts from when its poll was due.
"""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess

import bench
import servers

BENCHMARKS = pathlib.Path(os.environ.get("BENCHMARKS") or servers.ROOT / ".build/release/benchmarks")
ROUNDS = int(os.environ.get("LATENCY_ROUNDS") or 5)
SECONDS = 3
WARM_UP_SECONDS = 1
CAPACITY_RUNS = 3  # of a second each
CONNECTIONS = 64
SERVER_CORE, LOAD_CORE = 0, 1
HAS_CORES = {SERVER_CORE, LOAD_CORE} <= os.sched_getaffinity(0)
PERCENTILES = ("p50", "p90", "p99", "p999")
SECONDS_MAX = 3 * CAPACITY_RUNS + ROUNDS * 2 * (SECONDS + WARM_UP_SECONDS + 4)


def measure(targets, polls):
    """`targets` by name, Usher first; `polls` is what wrk.lua is told. The medians of each, and all runs."""
    if not BENCHMARKS.exists():
        raise servers.ServerError(f"no {BENCHMARKS}; `swift build -c release --product benchmarks` makes it")
    with contextlib.ExitStack() as stack:
        for server in targets.values():
            stack.enter_context(pinned(server.pids(), SERVER_CORE))
        stack.enter_context(pinned([os.getpid()], LOAD_CORE))  # and so what we start
        first = next(iter(targets.values()))
        capacity = statistics.median(bench.measure(first, polls, 1)["perSecond"] for _ in range(CAPACITY_RUNS))
        rate = capacity / 2
        print(f"bench: one core carries {capacity:.0f} polls a second; half of it is offered", flush=True)
        runs = []
        for number in range(1, ROUNDS + 1):
            for name in targets if number % 2 else reversed(targets):
                found = offer(targets[name].port, rate, 2 * number + list(targets).index(name))
                runs.append({"round": number, "server": name, **found})
                print(f"bench: latency round {number} of {ROUNDS}: {name} p50 {found['p50']} us, p99 {found['p99']} us",
                      flush=True)
    medians = {
        name: {key: statistics.median(run[key] for run in runs if run["server"] == name) for key in runs[0]
               if key not in ("round", "server")}
        for name in targets
    }
    return {"capacityPerSecond": capacity, "offeredPerSecond": rate, "servers": medians, "runs": runs}


def offer(port, rate, seed):
    """One run of the open load; what is not 200, or not answered, stands in `refused`."""
    command = [BENCHMARKS, "openload", port, f"{rate:.0f}", SECONDS, WARM_UP_SECONDS, CONNECTIONS, seed, "poll=1"]
    run = subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        raise servers.ServerError(f"openload ended with {run.returncode}: {run.stderr[-2000:]}")
    found = json.loads(run.stdout)
    polls = found["all"]
    return {key: polls["acceptedMicroseconds"][key] for key in PERCENTILES} | {
        "completedPerSecond": found["inTime"] / found["seconds"],
        "refused": polls["due"] - polls["accepted"],
        "lateP99": found["lateMicroseconds"]["p99"],
    }


def problems_of(latency):
    return [f"latency round {run['round']}, {run['server']}: {run['refused']} polls were not answered with 200"
            for run in latency["runs"] if run["refused"]]


@contextlib.contextmanager
def pinned(pids, core):
    """All threads of these processes on one core, and after it where they were before."""
    usual = {}
    if HAS_CORES:
        for pid in pids:
            for thread in pathlib.Path(f"/proc/{pid}/task").iterdir():
                usual[int(thread.name)] = os.sched_getaffinity(int(thread.name))
                os.sched_setaffinity(int(thread.name), {core})
    try:
        yield
    finally:
        for thread, cores in usual.items():
            with contextlib.suppress(ProcessLookupError):  # it ended meanwhile
                os.sched_setaffinity(thread, cores)
