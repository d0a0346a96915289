"""Latency of polls at half of what Usher carries, at Usher and at nginx, at the same rate.

    core 1: the load ─▶ core 0: all processes of the server

The load and the server have a core each (where there are two), so that neither waits for the other. The capacity is found
first, by wrk as fast as it goes; then half of it is offered to each in turn by `benchmarks openload`: polls come at random
moments whether others were answered or not, and each latency counts from when its poll was due.
"""

import contextlib
import os
import statistics

import bench
import servers
import svg

ROUNDS = bench.setting("LATENCY_ROUNDS", 5)
SECONDS, WARM_UP_SECONDS = 3, 1
CAPACITY_RUNS = 3  # of a second each
PERCENTILES = ("p50", "p90", "p99", "p999")
SECONDS_MAX = 3 * CAPACITY_RUNS + ROUNDS * 2 * (SECONDS + WARM_UP_SECONDS + 4)


def measure(targets, polls):
    """`targets` by name, Usher first; `polls` is what wrk.lua is told. The medians of each, and all runs."""
    with contextlib.ExitStack() as stack:
        for server in targets.values():
            stack.enter_context(servers.pinned(server.pids(), bench.SERVER_CORE))
        stack.enter_context(servers.pinned([os.getpid()], bench.LOAD_CORE))  # and so what we start
        first = next(iter(targets.values()))
        capacity = statistics.median(bench.measure(first, polls, 1)["perSecond"] for _ in range(CAPACITY_RUNS))
        runs = []
        for number in range(1, ROUNDS + 1):
            for name in targets if number % 2 else reversed(targets):
                found = offer(targets[name].port, capacity / 2, 2 * number + list(targets).index(name))
                runs.append({"round": number, "server": name, **found})
                bench.say(f"latency round {number} of {ROUNDS}: {name} p50 {found['p50']} us, p99 {found['p99']} us")
    medians = {
        name: {key: statistics.median(run[key] for run in runs if run["server"] == name) for key in runs[0]
               if key not in ("round", "server")}
        for name in targets
    }
    return {"capacityPerSecond": capacity, "offeredPerSecond": capacity / 2, "servers": medians, "runs": runs}


def offer(port, rate, seed):
    """One run of the open load; polls not answered with 200 are `refused`."""
    [found] = bench.benchmarks("openload", port, f"{rate:.0f}", SECONDS, WARM_UP_SECONDS, 64, seed, "poll=1")
    polls = found["all"]
    return {key: polls["acceptedMicroseconds"][key] for key in PERCENTILES} | {
        "completedPerSecond": found["inTime"] / found["seconds"],
        "refused": polls["due"] - polls["accepted"],
        "lateP99": found["lateMicroseconds"]["p99"],
    }


def problems_of(latency):
    return [f"latency round {run['round']}, {run['server']}: {run['refused']} polls were not answered with 200"
            for run in latency["runs"] if run["refused"]]


def told(slow, printed):
    """The blocks of the page's part."""
    late = max(each["lateP99"] for each in slow["servers"].values())
    return [
        f"One core carries {slow['capacityPerSecond']:,.0f} polls a second of Usher (wrk); half of it, "
        f"{slow['offeredPerSecond']:,.0f}, was offered to each. The load sent 99 % of the polls within {late:,.0f} µs.",
        bench.Table(("server", "p50 µs", "p90 µs", "p99 µs", "p99.9 µs", "answered a second"), [
            (printed[name], *(f"{each[key]:,.0f}" for key in (*PERCENTILES, "completedPerSecond")))
            for name, each in slow["servers"].items()
        ]),
    ]


def picture(slow, printed):
    drawn = svg.Picture("Latency of polls at half of what Usher carries",
                        f"Microseconds, {slow['offeredPerSecond']:,.0f} polls a second to each, an open load; from when a poll was due.")
    for key, title in (("p50", "half are faster (p50)"), ("p90", "90 % are faster (p90)"), ("p99", "99 % are faster (p99)")):
        runs = {name: [run[key] for run in slow["runs"] if run["server"] == name] for name in slow["servers"]}
        drawn.bars(title, [
            (printed[name], [("own" if name == "usher" else "other", each[key])], f"{each[key]:,.0f}",
             (min(runs[name]), max(runs[name]))) for name, each in slow["servers"].items()
        ])
    return drawn
