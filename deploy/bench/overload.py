#!/usr/bin/env python3
"""Overload: what a cluster completes, and the latency of what it accepts, from a quarter to three times of its capacity.

The cluster has one core and the load the other, so that neither takes the other's time. The load is open: requests come at
random moments whether earlier ones were answered or not, and each latency counts from when its request was due
(`benchmarks openload`). First the capacity is found: the highest rate at which everything is accepted and p99 is below 20 ms.
Then each step offers a part of it for SECONDS_PER_STEP (6) to a new cluster, all steps one after the other, ROUNDS (3) times;
the figures of a step are the medians of its rounds.

One core can't send three times of what another serves with a system call for each, so the requests of many people share
CONNECTIONS (128) with up to 64 under way on each. The journals are in memory (DISK=/dev/shm), so that the core is the limit and
not a disk.

From the environment too: MIX (join=6,poll=3,reserve=1), SHARDS (4), CAPACITY, which spares the search, and FLAGS. Leaves
bench/overload.json and bench/overload.svg. Exit code 0 when at three times the capacity the accepted p99 is within twice that
at the capacity, and 90 % of the best is completed.
"""

import json
import os
import statistics

import bench
import servers
import svg

SHARDS = bench.setting("SHARDS", "4")
MIX = bench.setting("MIX", "join=6,poll=3,reserve=1")
CONNECTIONS = os.environ.get("CONNECTIONS") or "128"
SECONDS_PER_STEP = bench.setting("SECONDS_PER_STEP", 6.0)
ROUNDS = bench.setting("ROUNDS", 3)
CAPACITY = bench.setting("CAPACITY", 0.0)
WARM_UP_SECONDS, CAPACITY_P99_MILLISECONDS = 2, 20
STEPS = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0]
DISK = os.environ.get("DISK") or "/dev/shm"
SETTINGS = ["gateway.requestsPerConnectionMax=1000000000", "booking.admissionsPerSecond=10000",
            # For a latency of some milliseconds; the defaults let a crowd of 4,000 pass that asks all at once.
            "gateway.overloadDelayMilliseconds=6", "gateway.overloadInFlightMin=300"]
CONCERTS, SCHEDULES, SEATS = 8, 20, 10_000  # as benchmarks openload has them; numbers of six and five digits
runs = 0


def catalogue():
    """Large enough that seats do not run out, and open to all at once."""
    def concert(number):
        schedules = {"firstId": 100_000 + 1_000 * number, "count": SCHEDULES, "first": "2030-06-01 19:00:00", "everyHours": 24}
        return {"id": number, "title": f"concert {number}", "opensAt": "2026-01-01 00:00:00", "hall": "large",
                "schedules": schedules}

    return {"halls": [{"name": "large", "sections": [{"from": 1, "to": 2 * SEATS, "grade": "A", "price": 1}]}],
            "concerts": [concert(number) for number in range(1, CONCERTS + 1)]}


class PinnedCluster(servers.Cluster):
    """A cluster whose processes share one core."""

    def start(self, command, is_ready):
        super().start(["taskset", "-c", str(bench.SERVER_CORE), *command], is_ready)


def main():
    with servers.scratch_folder("overload") as folder:
        file = folder / "catalogue.json"
        file.write_text(json.dumps(catalogue()))
        flags = ["--catalogue", file, *(word for each in SETTINGS for word in ("--set", each)), *bench.FLAGS]
        capacity = CAPACITY or find_capacity(flags)
        bench.say(f"it carries {capacity:.0f} requests a second of {MIX}")
        seen = {part: [] for part in STEPS}
        for number in range(ROUNDS):
            for part in STEPS:
                seen[part].append(offer(flags, part * capacity, SECONDS_PER_STEP, part))
                bench.say(f"round {number + 1} of {ROUNDS}, {part} times: {' '.join(words(seen[part][-1])[1:])}")
    steps = [median(rounds) for rounds in seen.values()]
    usual, last = next(each for each in steps if each["times"] == 1.0), steps[-1]
    best = max(each["completedPerSecond"] for each in steps)
    goals = [("p99 at three times the capacity, over that at one time", "at most", 2, last["p99Milliseconds"] / usual["p99Milliseconds"]),
             ("completed at three times, of the best", "at least", 0.9, last["completedPerSecond"] / best, "{:.0%}")]
    record = {"mix": MIX, "capacityPerSecond": round(capacity), "bestCompletedPerSecond": best,
              "usualP99Milliseconds": usual["p99Milliseconds"], "steps": steps, "rounds": seen}
    table = bench.Table(("offered", "a second", "completed", "shed", "p50 ms", "p99 ms", "shed p99 ms", "joins", "polls", "reservations"),
                        [words(each) for each in steps])
    code = bench.finish("overload", record, {"overload": [bench.goals(*goals), table]}, pictures=[("overload.svg", picture(record))])
    return code or int(goals[0][3] > 2 or goals[1][3] < 0.9)


def offer(flags, per_second, seconds, part=None):
    """One run of the load on a new cluster, so that none begins with the lines and holds of the one before."""
    global runs
    runs += 1
    with PinnedCluster(SHARDS, "1", flags, DISK) as cluster:
        [found] = bench.benchmarks("openload", cluster.port, per_second, seconds, WARM_UP_SECONDS, CONNECTIONS, runs, MIX,
                                   prefix=("taskset", "-c", bench.LOAD_CORE))
    whole, kinds = found["all"], found["kinds"]
    latency = whole["acceptedMicroseconds"] or {"p50": 0, "p99": 0}
    return {
        "times": part,
        "offeredPerSecond": round(whole["due"] / found["seconds"]),
        "completedPerSecond": round(found["inTime"] / found["seconds"]),
        "shedPerSecond": round(whole["shed"] / found["seconds"]),
        "p50Milliseconds": latency["p50"] / 1000,
        "p99Milliseconds": latency["p99"] / 1000,
        "shedP99Milliseconds": (whole["shedMicroseconds"] or {"p99": 0})["p99"] / 1000,
        **{kind: each["accepted"] / each["due"] if each["due"] else 0 for kind, each in kinds.items()},
    }


def median(rounds):
    return {key: statistics.median(each[key] for each in rounds) for key in rounds[0]}


def words(each):
    return (f"{each['times']}×", f"{each['offeredPerSecond']:,.0f}", f"{each['completedPerSecond']:,.0f}",
            f"{each['shedPerSecond']:,.0f}", f"{each['p50Milliseconds']:.1f}", f"{each['p99Milliseconds']:.1f}",
            f"{each['shedP99Milliseconds']:.1f}", *(f"{each.get(kind, 0):.0%}" for kind in ("join", "poll", "reserve")))


def find_capacity(flags):
    """The highest rate that is carried: grows by a half while it is, then by tenths."""
    carried, rate, factor = 0.0, 40_000.0, 1.5
    while factor > 1.05:
        found = offer(flags, rate, 4)
        bench.say(f"capacity: {' '.join(words(found)[1:])}")
        if (found["completedPerSecond"] >= 0.98 * found["offeredPerSecond"]
                and found["p99Milliseconds"] <= CAPACITY_P99_MILLISECONDS):
            carried = rate
        else:
            factor = 1 + (factor - 1) / 2.2
            if carried == 0:
                rate /= 3
                continue
        rate = carried * factor
    return carried


def picture(record):
    steps, span = record["steps"], (0, STEPS[-1])
    drawn = svg.Picture(
        f"Offered: 0.25 to 3 times of what one core carries ({record['capacityPerSecond']:,} requests a second)",
        f"{MIX}; {CONNECTIONS} connections, {SHARDS} shards, medians of {ROUNDS} rounds; latency from when a request was due",
    )

    def line(name, style, key):
        return name, style, [(each["times"], each[key]) for each in steps], False

    def flat(name, value):
        return name, "goal", [(0, value), (span[1], value)], True

    drawn.lines("Requests a second, by offered over capacity", span, [
        line("completed", "green", "completedPerSecond"), line("shed (503 at once)", "orange", "shedPerSecond"),
        flat("90 % of the best", 0.9 * record["bestCompletedPerSecond"])])
    drawn.lines("Milliseconds of what is accepted", span, [
        line("p99", "red", "p99Milliseconds"), line("p50", "blue", "p50Milliseconds"),
        flat("twice the usual p99", 2 * record["usualP99Milliseconds"])])
    return drawn


if __name__ == "__main__":
    bench.run(main, "overload")
