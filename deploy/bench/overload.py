#!/usr/bin/env python3
"""Overload: what a cluster completes, and how long what it accepts takes, from a quarter to three times of what it can carry.

The cluster has one core and the load the other (taskset), so that neither takes the other's time. The load is open: requests
come at random moments whether earlier ones were answered or not, and each latency counts from when the request was due
(`benchmarks openload`). First the capacity is found: the highest rate at which everything is accepted and p99 is below
CAPACITY_P99_MILLISECONDS. Then each step offers a part of it for SECONDS_PER_STEP, all steps one after the other, ROUNDS times:
what is told of a step are the medians of its rounds, because one alone may differ by a factor of two where others use the
machine too.

One core can't send three times of what another serves with a system call for each, so the requests of many people share
CONNECTIONS, with up to 1,024 under way on each. The journals are in memory (DISK=/dev/shm): it is the core that has too much
to do here, and a disk that others use too would be measured instead.

Writes overload.json and overload.svg to OUT (bench/), and a table to the terminal. Exit code 0 when at three times the
capacity the accepted p99 is within twice its usual (at one time) and 90 % of the best is completed.
"""

import json
import os
import pathlib
import statistics
import subprocess
import sys

import servers
import svg

ROOT = servers.ROOT
OUT = pathlib.Path(os.environ.get("OUT") or ROOT / "bench")
SHARDS = os.environ.get("SHARDS") or "4"
MIX = os.environ.get("MIX") or "join=6,poll=3,reserve=1"
CONNECTIONS = os.environ.get("CONNECTIONS") or "128"  # 64 requests may be under way on each
SECONDS_PER_STEP = float(os.environ.get("SECONDS_PER_STEP") or 6)
ROUNDS = int(os.environ.get("ROUNDS") or 3)
WARM_UP_SECONDS = 2
CAPACITY_P99_MILLISECONDS = float(os.environ.get("CAPACITY_P99_MILLISECONDS") or 20)
CAPACITY = float(os.environ.get("CAPACITY") or 0)  # found out where it is not given
STEPS = [0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0]
SERVER_CORE, LOAD_CORE = "0", "1"
DISK = os.environ.get("DISK") or "/dev/shm"
FLAGS = ["--set", "gateway.requestsPerConnectionMax=1000000000"]
# For a latency of some milliseconds; the defaults let a crowd of 4,000 pass that asks all at once.
FLAGS += ["--set", "gateway.overloadDelayMilliseconds=6", "--set", "gateway.overloadInFlightMin=300"]
FLAGS += (os.environ.get("FLAGS") or "").split()

CONCERTS, SCHEDULES, SEATS = 8, 20, 10_000  # as benchmarks openload has them; numbers of six and five digits


def catalogue():
    """Large enough that seats do not run out, and open to all at once."""
    return {
        "halls": [{"name": "large", "sections": [{"from": 1, "to": 2 * SEATS, "grade": "A", "price": 1}]}],
        "concerts": [
            {
                "id": concert,
                "title": f"concert {concert}",
                "opensAt": "2026-01-01 00:00:00",
                "hall": "large",
                "schedules": [
                    {"id": 100_000 + 1_000 * concert + number, "playDateTime": "2030-06-01 19:00:00"}
                    for number in range(SCHEDULES)
                ],
            }
            for concert in range(1, CONCERTS + 1)
        ],
    }


class PinnedCluster(servers.Cluster):
    """A cluster whose processes share one core."""

    def start(self, command, is_ready):
        super().start(["taskset", "-c", SERVER_CORE, *command], is_ready)


runs = 0


def offer(cluster, per_second, seconds):
    """One run of the load; its JSON."""
    global runs
    runs += 1
    command = ["taskset", "-c", LOAD_CORE, ROOT / ".build/release/benchmarks", "openload", cluster.port, per_second]
    command += [seconds, WARM_UP_SECONDS, CONNECTIONS, runs, MIX]
    before = servers.cpu_seconds(cluster.pids())
    result = subprocess.run([str(word) for word in command], capture_output=True, text=True, timeout=120)
    if result.returncode != 0:
        raise servers.ServerError(f"openload ended with {result.returncode}: {result.stderr[-2000:]}")
    found = json.loads(result.stdout)
    found["serverCPUSeconds"] = round(servers.cpu_seconds(cluster.pids()) - before, 2)
    return found


def row(found, part=None):
    whole = found["all"]
    latency = whole["acceptedMicroseconds"] or {"p50": 0, "p99": 0, "p999": 0}
    answered = whole["shedMicroseconds"] or {"p99": 0}
    return {
        "times": part,
        "offeredPerSecond": round(whole["due"] / found["seconds"]),
        "completedPerSecond": round(found["inTime"] / found["seconds"]),
        "shedPerSecond": round(whole["shed"] / found["seconds"]),
        "otherPerSecond": round((sum(whole["others"].values()) + whole["unanswered"]) / found["seconds"]),
        "p50Milliseconds": latency["p50"] / 1000,
        "p99Milliseconds": latency["p99"] / 1000,
        "p999Milliseconds": latency["p999"] / 1000,
        "shedP99Milliseconds": answered["p99"] / 1000,
        "acceptedByKind": {
            kind: round(each["accepted"] / each["due"], 3) if each["due"] else None for kind, each in found["kinds"].items()
        },
        "latenessP99Milliseconds": found["lateMicroseconds"]["p99"] / 1000,
        "loadCPUSeconds": round(found["loadCPUSeconds"], 2),
        "serverCPUSeconds": found["serverCPUSeconds"],
    }


def median(rounds):
    """The rounds of one step as one row."""
    rows = [{key: value for key, value in each.items() if key != "acceptedByKind"} for each in rounds]
    kinds = [each["acceptedByKind"] for each in rounds]
    found = {key: statistics.median(each[key] for each in rows) for key in rows[0]}
    return found | {"acceptedByKind": {kind: statistics.median(each[kind] or 0 for each in kinds) for kind in kinds[0]}}


def tell(each):
    kinds = " ".join(f"{kind} {part:.0%}" for kind, part in each["acceptedByKind"].items() if part is not None)
    print(
        f"{each['times'] or '':>5} {each['offeredPerSecond']:>9} {each['completedPerSecond']:>9} {each['shedPerSecond']:>9}"
        f" {each['otherPerSecond']:>6} {each['p50Milliseconds']:>8.1f} {each['p99Milliseconds']:>8.1f}"
        f" {each['shedP99Milliseconds']:>8.1f}   {kinds}",
        flush=True,
    )


def find_capacity():
    """The highest rate that is carried: grows by a half while it is, then by tenths."""
    carried, rate, factor = 0.0, 40_000.0, 1.5
    while factor > 1.05:
        with cluster() as each:
            found = row(offer(each, rate, 4))
        tell(found)
        is_carried = (
            found["completedPerSecond"] >= 0.98 * found["offeredPerSecond"]
            and found["p99Milliseconds"] <= CAPACITY_P99_MILLISECONDS
        )
        if is_carried:
            carried = rate
        else:
            factor = 1 + (factor - 1) / 2.2
            if carried == 0:
                rate /= 3
                continue
        rate = carried * factor
    return carried


def cluster():
    flags = ["--catalogue", CATALOGUE, "--set", "booking.admissionsPerSecond=10000", *FLAGS]
    return PinnedCluster(SHARDS, "1", flags, DISK)


def main():
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    OUT.mkdir(exist_ok=True)
    CATALOGUE.write_text(json.dumps(catalogue()))
    print("times   offered completed      shed  other   p50 ms   p99 ms  shed p99   accepted")
    capacity = CAPACITY or find_capacity()
    print(f"overload: it carries {capacity:.0f} requests a second of {MIX}")
    seen = {part: [] for part in STEPS}
    for number in range(ROUNDS):
        print(f"overload: round {number + 1} of {ROUNDS}")
        for part in STEPS:
            # Anew for each step, so that none begins with the lines and holds of those before.
            with cluster() as each:
                seen[part].append(row(offer(each, part * capacity, SECONDS_PER_STEP), part))
            tell(seen[part][-1])
    rows = [median(rounds) for rounds in seen.values()]
    if ROUNDS > 1:
        print(f"overload: medians of {ROUNDS} rounds")
        for each in rows:
            tell(each)
    best = max(each["completedPerSecond"] for each in rows)
    usual = next(each for each in rows if each["times"] == 1.0)["p99Milliseconds"]
    last = rows[-1]
    verdict = {
        "capacityPerSecond": round(capacity),
        "bestCompletedPerSecond": best,
        "completedAtThreeOfBest": round(last["completedPerSecond"] / best, 3),
        "usualP99Milliseconds": usual,
        "p99AtThreeOfUsual": round(last["p99Milliseconds"] / usual, 2),
    }
    report = {"mix": MIX, "connections": int(CONNECTIONS), "shards": int(SHARDS), "flags": FLAGS, "rounds": ROUNDS, **verdict}
    report |= {"steps": rows, "completedPerSecond": {part: [each["completedPerSecond"] for each in seen[part]] for part in STEPS}}
    (OUT / "overload.json").write_text(json.dumps(report, indent=2) + "\n")
    picture(report).write(OUT / "overload.svg")
    print(f"overload: at three times p99 is {verdict['p99AtThreeOfUsual']} of its usual {usual:.1f} ms (goal: 2)")
    print(f"overload: at three times {verdict['completedAtThreeOfBest']:.0%} of the best is completed (goal: 90 %)")
    print(f"overload: {OUT / 'overload.svg'} and {OUT / 'overload.json'}")
    return 0 if verdict["p99AtThreeOfUsual"] <= 2 and verdict["completedAtThreeOfBest"] >= 0.9 else 1


def picture(report):
    steps = report["steps"]
    scale = max(each["times"] for each in steps)
    shards = "1 shard" if report["shards"] == 1 else f"{report['shards']} shards"
    drawn = svg.Picture(
        f"Offered: 0.25 to 3 times of what one core carries ({report['capacityPerSecond']:,} requests a second)",
        f"{report['mix']}; {report['connections']} connections, {shards}, medians of {report['rounds']} rounds;"
        " latency from when a request was due",
    )

    def line(name, style, key):
        return name, style, [(each["times"], each[key]) for each in steps], False

    def flat(name, value):
        return name, "goal", [(0, value), (scale, value)], True

    drawn.lines("Requests a second, over offered, times capacity", scale, [
        line("completed", "green", "completedPerSecond"),
        line("shed (503 at once)", "orange", "shedPerSecond"),
        flat("90 % of the best", 0.9 * report["bestCompletedPerSecond"]),
    ])
    drawn.lines("Milliseconds of what is accepted, over offered, times capacity", scale, [
        line("p99", "red", "p99Milliseconds"),
        line("p50", "blue", "p50Milliseconds"),
        flat("twice the usual p99", 2 * report["usualP99Milliseconds"]),
    ])
    return drawn


CATALOGUE = pathlib.Path("/tmp") / f"usher-overload-{os.getpid()}.json"

if __name__ == "__main__":
    try:
        sys.exit(main())
    except servers.ServerError as error:
        sys.exit(f"overload: {error}")
    finally:
        CATALOGUE.unlink(missing_ok=True)
