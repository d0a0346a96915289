#!/usr/bin/env python3
"""What a compaction costs those who are served meanwhile: the p99 of joins and polls with and without one.

    wrk, CONNECTIONS kept alive ─▶ Usher: one gateway, one shard, journal in SQLite, policy commit
                 beside it, or not:  usher journal compact, one after the other, at nice 10 as the supervisor runs it

Rounds alternate which goes first, since line and journal grow all the while; figures are medians over the rounds. The
supervisor's own compactions are off here. An answer that is not 200, a broken connection, a timeout, or a compaction that
fails makes the run invalid, and the exit code 1.

From the environment: ROUNDS (3), SECONDS_PER_ROUND (5), CONNECTIONS (64), and DISK (/var/tmp), a folder on the disk
that is meant. Leaves bench/compaction.json.
"""

import os
import pathlib
import statistics
import subprocess
import sys
import threading

import bench
import servers

DISK = os.environ.get("DISK") or "/var/tmp"
GOAL = 2.0  # how many times the p99 without a compaction that with one may be, at most
CONCERTS = 8
KINDS = ("without", "with")


class Compactions:
    """One after the other, until the end of the block."""

    def __init__(self, cluster):
        usher = os.environ.get("USHER") or servers.ROOT / ".build/release/usher"
        self.command = ["nice", "-n", "10", str(usher), "journal", "compact", "--state", str(cluster.state)]
        self.command += ["--set", "journal.archive=off"]
        self.count, self.problems = 0, []
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run)

    def run(self):
        while not self.stopped.is_set():
            ended = subprocess.run(self.command, capture_output=True, text=True, check=False)
            self.count += 1
            if ended.returncode != 0:
                self.problems.append(ended.stderr.strip())
                return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.stopped.set()
        self.thread.join()


def main():
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    servers.program("wrk", "bench")
    flags = ["--set", "journal.kind=sqlite", "--set", f"journal.compactBytes={1 << 40}"]
    runs, problems = [], []
    with servers.Cluster("1", "1", flags, DISK) as cluster:
        tokens = pathlib.Path(cluster.folder) / "tokens"
        print(f"bench: filling the lines of {CONCERTS} concerts", flush=True)
        tokens.write_text("\n".join(bench.fill_lines(cluster.port)) + "\n")
        first_user = bench.FIRST_USER
        for round_number in range(1, bench.ROUNDS + 1):
            for kind in KINDS if round_number % 2 else reversed(KINDS):
                for call in ("join", "poll"):
                    what = ["poll", str(tokens)] if call == "poll" else ["join", str(first_user), str(CONCERTS)]
                    first_user += bench.USERS_PER_RUN
                    run, count, wrong = measure(cluster, kind, what)
                    problems += wrong
                    runs.append({"round": round_number, "server": kind, "call": call, "compactions": count, **run})
                    print(f"bench: round {round_number} of {bench.ROUNDS}: {call} {kind}: p99 {run['p99']} us, "
                          f"{run['perSecond']:.0f}/s, {count} compactions", flush=True)
        problems += bench.problems_of(runs) + bench.still_waiting(cluster.port, tokens)
    results = summarise(runs)
    print(table(results))
    bench.write_record("compaction.json", {
        "settings": {"rounds": bench.ROUNDS, "secondsPerRound": bench.SECONDS_PER_ROUND,
                     "connections": bench.CONNECTIONS, "folder": DISK},
        "valid": not problems,
        "problems": problems,
        "results": results,
        "runs": runs,
    })
    for problem in problems:
        print(f"bench: INVALID: {problem}")
    return 1 if problems else 0


def measure(cluster, kind, what):
    if kind == "without":
        return bench.measure(cluster, what, bench.SECONDS_PER_ROUND), 0, []
    with Compactions(cluster) as compactions:
        run = bench.measure(cluster, what, bench.SECONDS_PER_ROUND)
    return run, compactions.count, compactions.problems


def summarise(runs):
    results = {"goal": GOAL}
    for call in ("join", "poll"):
        row = {}
        for kind in KINDS:
            these = [run for run in runs if run["call"] == call and run["server"] == kind]
            p99 = [run["p99"] for run in these]
            row[kind] = {
                "p50Microseconds": statistics.median(run["p50"] for run in these),
                "p99Microseconds": statistics.median(p99),
                "least": min(p99),
                "most": max(p99),
                "perSecond": statistics.median(run["perSecond"] for run in these),
                "compactions": sum(run["compactions"] for run in these),
            }
        row["ratio"] = row["with"]["p99Microseconds"] / row["without"]["p99Microseconds"]
        results[call] = row
    return results


def table(results):
    lines = ["", f"Answers beside a compaction; wrk, {bench.CONNECTIONS} connections kept alive, 1 gateway, 1 shard, "
             f"journal.policy commit; median of {bench.ROUNDS} rounds of {bench.SECONDS_PER_ROUND} s", ""]
    lines.append(f"  {'call':<6}{'compaction':<12}{'a second':>10}{'p50 us':>9}{'p99 us':>9}{'spread':>16}{'runs':>6}")
    for call in ("join", "poll"):
        for kind in KINDS:
            each = results[call][kind]
            spread = f"{each['least']:.0f}-{each['most']:.0f}"
            lines.append(f"  {call:<6}{kind:<12}{each['perSecond']:>10.0f}{each['p50Microseconds']:>9.0f}"
                         f"{each['p99Microseconds']:>9.0f}{spread:>16}{each['compactions']:>6}")
        met = "met" if results[call]["ratio"] <= GOAL else "NOT MET"
        lines.append(f"  p99 of {call}s with one over without: {results[call]['ratio']:.2f}, goal {GOAL:.0f}: {met}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    try:
        sys.exit(main())
    except servers.ServerError as problem:
        sys.exit(f"bench: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
