#!/usr/bin/env python3
"""What durable joins cost: Usher with its SQLite journal, beside nginx with Lua in front of Redis, for the same work.

    wrk, C connections kept alive ─▶ Usher: one gateway, one shard, journal.policy commit | interval | none
                                  or nginx: one worker, Lua ─▶ Redis: append-only file, appendfsync always | everysec

One shard, as there is one Redis: what is compared is the same work by as many parts. Four shards share the same load in
smaller batches and flush four times as often, which a line of its own shows.

A join gives a new user a place in line and a token. In Redis that is one script of three writes (redis-join.lua): the
user's token, the counter of places, the line. `commit` and `always` answer when the join is on the disk, both for many
requests at once; `interval` (100 ms) and `everysec` write behind; `none` leaves it to the kernel. nginx reaches Redis over
TCP on loopback, as its clients do unless told otherwise; `unix` is the same over a Unix socket, which costs less. The
peer's other settings are the cheap ones wherever there is a choice; nginx-redis.conf and servers.py name them.

Each round measures all of them one after another, in alternating order, each started anew in an empty folder on DISK, so
that none works in the background of another. CPU is user and system time of all processes with all their threads,
from just before wrk starts to just after it ends; figures are medians over the rounds. Before each measurement 2,000
people join one concert twice: places must be 1 to 2,000 and tokens all different, and the second answer be the first.
After it one more joins each concert: the places must add up to all the joins that were answered.

An answer that is not 200, a broken connection, a timeout or a wrong place makes the run invalid, and the exit code 1.

From the environment: ROUNDS (3), SECONDS_PER_ROUND (5), CONNECTIONS (64), and DISK (/var/tmp), a folder on the
disk that is meant. Leaves bench/journal.json.
"""

import os
import statistics
import subprocess
import tempfile
import time

import bench
import burst
import servers

DISK = os.environ.get("DISK") or "/var/tmp"
CONCERTS = 8
CHECKED_JOINS = 2_000
CHECKED_CONCERT = 1
FIRST_CHECKED_USER = bench.FIRST_USER - bench.USERS_PER_RUN
WARMING_SECONDS = 1
GOAL = 5.0  # how many times less CPU Usher's `commit` takes than Redis' `always`, at least
FLUSHES = 1_000

SERVERS = {
    "usher commit": lambda: cluster("commit"),
    "usher interval": lambda: cluster("interval"),
    "usher none": lambda: cluster("none"),
    "usher commit x4": lambda: cluster("commit", shards="4"),
    "redis always": lambda: servers.NginxWithRedis("always", "tcp", DISK),
    "redis everysec": lambda: servers.NginxWithRedis("everysec", "tcp", DISK),
    "redis always unix": lambda: servers.NginxWithRedis("always", "unix", DISK),
}


def cluster(policy, shards="1"):
    # No compaction, as Redis rewrites nothing meanwhile either.
    flags = ["--set", "journal.kind=sqlite", "--set", f"journal.policy={policy}"]
    flags += ["--set", f"journal.compactBytes={1 << 40}"]
    return servers.Cluster(shards, bench.GATEWAYS, flags, DISK)


def main():
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    for name in ("wrk", "nginx", "redis-server"):
        servers.program(name, "bench bench-journal")
    system = file_system(DISK)
    if system in ("tmpfs", "ramfs"):
        raise servers.ServerError(f"{DISK} is in memory ({system}); name a folder on a disk with DISK=")
    flushes = flushes_per_second()
    print(f"bench: {DISK} ({system}) flushes 4 KiB {flushes:.0f} times a second, one after the other", flush=True)

    runs, problems = [], []
    for round_number in range(1, bench.ROUNDS + 1):
        for name in SERVERS if round_number % 2 else reversed(SERVERS):
            run, wrong = measure(name)
            problems += [f"round {round_number}, {name}: {each}" for each in wrong]
            runs.append({"round": round_number, "server": name, "call": "join", **run})
            print(f"bench: round {round_number} of {bench.ROUNDS}: {name}: "
                  f"{run['cpuMicroseconds']:.2f} us of CPU a join, {run['perSecond']:.0f}/s", flush=True)
    problems += bench.problems_of(runs)
    results = summarise(runs)
    print(table(results))
    save(results, runs, problems, {"folder": DISK, "fileSystem": system, "flushesPerSecond": flushes})
    for problem in problems:
        print(f"bench: INVALID: {problem}")
    return 1 if problems else 0


def measure(name):
    """One server from start to stop: checked, warmed up, measured, and checked again; the run, and what was wrong."""
    with SERVERS[name]() as server:
        problems = check_places(server.port)
        joins = CHECKED_JOINS
        for seconds, first_user in (
            (WARMING_SECONDS, bench.FIRST_USER),
            (bench.SECONDS_PER_ROUND, bench.FIRST_USER + bench.USERS_PER_RUN),
        ):
            run = bench.measure(server, ["join", str(first_user), str(CONCERTS)], seconds)
            joins += run["requests"]
        return run, problems + check_count(server.port, joins)


def check_places(port):
    first = burst.join_all(port, CHECKED_CONCERT, FIRST_CHECKED_USER, CHECKED_JOINS, connections=8)
    again = burst.join_all(port, CHECKED_CONCERT, FIRST_CHECKED_USER, CHECKED_JOINS, connections=8)
    problems = []
    if sorted(answer["place"] for answer in first) != list(range(1, CHECKED_JOINS + 1)):
        problems.append("places are not given once each")
    if len({answer["tokenId"] for answer in first}) != CHECKED_JOINS:
        problems.append("a token was given twice")
    if [(a["tokenId"], a["place"]) for a in first] != [(a["tokenId"], a["place"]) for a in again]:
        problems.append("who joined again got another token or place")
    return problems


def check_count(port, joins):
    """Every join that was answered took a place of its own: the next places say how many there are. When a wrk ends, up
    to CONNECTIONS joins are under way, done but not counted."""
    places = 0
    for concert in range(1, CONCERTS + 1):
        [answer] = burst.join_all(port, concert, FIRST_CHECKED_USER + CHECKED_JOINS + concert, 1, connections=1)
        places += answer["place"] - 1
    if joins <= places <= joins + 2 * bench.CONNECTIONS:
        return []
    return [f"{joins} joins were answered, but {places} places given"]


def summarise(runs):
    """Of each server the medians and the spread, and how many times Redis' CPU is Usher's, as durable as each other."""
    results = {"servers": {}, "goal": GOAL}
    for name in SERVERS:
        these = [run for run in runs if run["server"] == name]
        cpu = [run["cpuMicroseconds"] for run in these]
        results["servers"][name] = {
            "cpuMicroseconds": statistics.median(cpu),
            "least": min(cpu),
            "most": max(cpu),
            "perSecond": statistics.median(run["perSecond"] for run in these),
            "p50Microseconds": statistics.median(run["p50"] for run in these),
            "p99Microseconds": statistics.median(run["p99"] for run in these),
        }
    cpu = {name: each["cpuMicroseconds"] for name, each in results["servers"].items()}
    results["alwaysOverCommit"] = cpu["redis always"] / cpu["usher commit"]
    results["alwaysUnixOverCommit"] = cpu["redis always unix"] / cpu["usher commit"]
    results["everysecOverInterval"] = cpu["redis everysec"] / cpu["usher interval"]
    return results


def table(results):
    lines = ["", f"Durable joins; wrk, {bench.CONNECTIONS} connections kept alive, {CONCERTS} concerts; "
             f"median of {bench.ROUNDS} rounds of {bench.SECONDS_PER_ROUND} s", ""]
    lines.append(f"  {'server':<18}{'joins a second':>15}{'us CPU':>9}{'spread':>18}{'p50 us':>9}{'p99 us':>9}")
    for name, each in results["servers"].items():
        spread = f"{each['least']:.2f}-{each['most']:.2f}"
        lines.append(f"  {name:<18}{each['perSecond']:>15.0f}{each['cpuMicroseconds']:>9.2f}{spread:>18}"
                     f"{each['p50Microseconds']:>9.0f}{each['p99Microseconds']:>9.0f}")
    ratio = results["alwaysOverCommit"]
    met = "met" if ratio >= GOAL else "NOT MET"
    lines += ["", f"  CPU of redis always over usher commit: {ratio:.2f}, goal {GOAL:.0f}: {met}",
              f"  CPU of redis always unix over usher commit: {results['alwaysUnixOverCommit']:.2f}",
              f"  CPU of redis everysec over usher interval: {results['everysecOverInterval']:.2f}"]
    return "\n".join(lines) + "\n"


def file_system(folder):
    found = subprocess.run(["stat", "--file-system", "--format=%T", folder], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise servers.ServerError(f"{folder} can't be used: {found.stderr.strip()}")
    return found.stdout.strip()


def flushes_per_second():
    """What this disk can do at most, one flush after the other: 4 KiB appended and fdatasync, again and again."""
    with tempfile.TemporaryFile(dir=DISK, buffering=0) as file:
        begun = time.monotonic()
        for _ in range(FLUSHES):
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
        return FLUSHES / (time.monotonic() - begun)


def save(results, runs, problems, disk):
    bench.write_record("journal.json", {
        "disk": disk,
        "settings": {"rounds": bench.ROUNDS, "secondsPerRound": bench.SECONDS_PER_ROUND,
                     "connections": bench.CONNECTIONS, "concerts": CONCERTS},
        "valid": not problems,
        "problems": problems,
        "results": results,
        "runs": runs,
    })


if __name__ == "__main__":
    servers.run(main, "bench")
