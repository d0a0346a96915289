#!/usr/bin/env python3
"""Usher beside its peers, in one run and one table: CPU per request over all processes, throughput, latency.

    wrk, CONNECTIONS kept alive, or a new one for each request ─▶ one server of peers.py at a time

All servers are started once. Each round then measures every call at every server, for SECONDS_PER_ROUND, one after
another and in alternating order; figures are medians over the rounds. workload.py says what is asked; latency.py measures
polls at half of what Usher can do, by an open load. Usher has its settings as they are by default, journal.policy commit
among them, and all limits on, those by address and by user too (USHER_FLAGS in peers.py).

An answer that is not 200, a broken connection or a timeout makes the run invalid, and the exit code 1. A goal that is not
met does not: it stands in the table.

From the environment: ROUNDS (5), SECONDS_PER_ROUND (2), LATENCY_ROUNDS (5), CONNECTIONS (64), SHARDS (4; `make bench` says
1), GATEWAYS (1),
DISK (/var/tmp), a folder on the disk that is meant, and, to run a part of it, CALLS and PEERS with commas between them, and
MODES (keep,close). Leaves bench/table.json and pictures beside it; a run of all parts also writes PERFORMANCE.md.
"""

import contextlib
import json
import os
import pathlib
import statistics
import subprocess
import urllib.request

import bench
import goals
import journal
import latency
import peers
import pictures
import report
import servers
import workload

ROUNDS = int(os.environ.get("ROUNDS") or 5)
SECONDS_PER_ROUND = int(os.environ.get("SECONDS_PER_ROUND") or 2)
WARMING_SECONDS = 1
LAUNCH_SECONDS = 1  # of each run, beside its measured time, at most
STARTING_SECONDS = 60
MODES = ("keep", "close")
PRINTED_MODES = {"keep": "connections kept alive", "close": "a new connection for each request"}


def chosen(variable, known):
    """The part of `known` that the environment names, in the order of `known`; all of it where it names none."""
    text = os.environ.get(variable) or ",".join(known)
    wanted = [word.strip() for word in text.split(",") if word.strip()]
    for word in wanted:
        if word not in known:
            raise servers.ServerError(f"{variable} has `{word}`; there are {', '.join(known)}")
    return [each for each in known if each in wanted]


def main():
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    calls, modes = chosen("CALLS", peers.CALLS["usher"]), chosen("MODES", MODES)
    names = ["usher", *(name for name in chosen("PEERS", list(peers.CALLS)) if name != "usher")]
    is_whole = calls == list(peers.CALLS["usher"]) and modes == list(MODES) and names == list(peers.CALLS)
    servers.program("wrk", "bench")
    load_before = os.getloadavg()[0]
    disk = {"folder": journal.DISK, "fileSystem": journal.file_system(journal.DISK),
            "flushesPerSecond": journal.flushes_per_second()}
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(servers.scratch_folder("table"))
        targets = start(names, folder, stack)
        people = workload.Workload(folder, targets)
        print("bench: filling the lines", flush=True)
        people.prepare(seconds_at_most(calls, modes, names))
        runs = measure_all(targets, people, calls, modes)
        problems = bench.problems_of(runs)
        slow = None
        if "poll" in calls and "nginx" in names:
            both = {name: targets[name] for name in ("usher", "nginx")}
            slow = latency.measure(both, people.words("poll", "usher"))
            problems += latency.problems_of(slow)
        problems += people.problems()
    results = summarise(runs)
    figures = goals.figures(results, slow)
    print(table(results) + (latency_table(slow) if slow else "") + goals.table(figures))
    record = {
        "settings": {"rounds": ROUNDS, "secondsPerRound": SECONDS_PER_ROUND, "connections": bench.CONNECTIONS,
                     "shards": bench.SHARDS, "gateways": bench.GATEWAYS, "concerts": bench.CONCERTS, "journal": "commit"},
        "versions": versions(),
        "disk": disk,
        "loadAverageBefore": load_before,
        "valid": not problems,
        "problems": problems,
        "results": results,
        "latency": slow,
        "figures": figures,
        "runs": runs,
    }
    path = bench.write_record("table.json", record)
    pictures.draw_all(path, path.parent)
    if is_whole and not problems:
        report.write(path)
    for problem in problems:
        print(f"bench: INVALID: {problem}")
    return 1 if problems else 0


def start(names, folder, stack):
    """All servers by name, running; Usher first, because the others answer with its list of schedules."""
    cluster = stack.enter_context(workload.cluster(bench.SHARDS, bench.GATEWAYS, folder))
    targets = {"usher": cluster}
    with urllib.request.urlopen(f"{cluster.url}/api/v1/concert/schedules?concertId=1", timeout=5) as answer:
        schedules = answer.read().decode()
    for name in names[1:]:
        print(f"bench: starting {name}", flush=True)
        targets[name] = peers.start(name, stack, schedules, journal.DISK)
    return targets


def seconds_at_most(calls, modes, names):
    """How long the benchmark may take."""
    runs = sum(1 for name in names for call in calls if call in peers.CALLS[name]) * len(modes)
    each = ROUNDS * (SECONDS_PER_ROUND + LAUNCH_SECONDS) + WARMING_SECONDS + LAUNCH_SECONDS
    return runs * each + latency.SECONDS_MAX + STARTING_SECONDS


def measure_all(targets, people, calls, modes):
    """A short warming round, then those that count; which server goes first alternates."""
    runs = []
    for number in range(ROUNDS + 1):
        names = list(targets) if number % 2 else list(reversed(targets))
        for mode in modes:
            for call in calls:
                title = f"round {number} of {ROUNDS}" if number else "warming up"
                print(f"bench: {title}: {call}, {PRINTED_MODES[mode]}:", end="", flush=True)
                if call == "reserve":
                    people.begin_reservations(targets["usher"])
                for name in (each for each in names if call in peers.CALLS[each]):
                    seconds = SECONDS_PER_ROUND if number else WARMING_SECONDS
                    run = bench.measure(targets[name], people.words(call, name), seconds, mode == "keep")
                    if name == "usher":
                        people.took(call, run)
                    print(f"  {name} {run['cpuMicroseconds']:.1f} us", end="", flush=True)
                    if number:
                        runs.append({"round": number, "server": name, "call": call, "mode": mode, **run})
                print(flush=True)
    return runs


def summarise(runs):
    """By mode, call and server: medians, the spread of the CPU, and how many times a server's CPU is Usher's."""
    results = {}
    for mode, call, name in dict.fromkeys((run["mode"], run["call"], run["server"]) for run in runs):
        these = runs_of(runs, mode, call, name)

        def median(key):
            return statistics.median(run[key] for run in these)

        cpu = [run["cpuMicroseconds"] for run in these]
        # The parts of a median are not medians: they are shared out as in all rounds together.
        user = sum(run["userMicroseconds"] for run in these) / sum(cpu)
        results.setdefault(mode, {}).setdefault(call, {})[name] = {
            "cpuMicroseconds": statistics.median(cpu),
            "least": min(cpu),
            "most": max(cpu),
            "userMicroseconds": user * statistics.median(cpu),
            "systemMicroseconds": (1 - user) * statistics.median(cpu),
            "perSecond": median("perSecond"),
            "p50Microseconds": median("p50"),
            "p90Microseconds": median("p90"),
            "p99Microseconds": median("p99"),
            "bytesPerAnswer": statistics.median(run["bytes"] / run["requests"] for run in these),
            "ofUsher": ratio(these, runs_of(runs, mode, call, "usher")),
        }
    return {mode: {call: in_order(row) for call, row in rows.items()} for mode, rows in results.items()}


def runs_of(runs, mode, call, name):
    return [run for run in runs if (run["mode"], run["call"], run["server"]) == (mode, call, name)]


def ratio(these, usher):
    """Of the medians, and from round to round the least and the most: of Usher's CPU over the other's."""
    rounds = [mine["cpuMicroseconds"] / its["cpuMicroseconds"] for its, mine in zip(these, usher)]
    medians = [statistics.median(run["cpuMicroseconds"] for run in runs) for runs in (usher, these)]
    return {"median": medians[0] / medians[1], "least": min(rounds), "most": max(rounds)}


def in_order(row):
    return {name: row[name] for name in peers.CALLS if name in row}


def table(results):
    lines = ["", f"CPU per request over all processes; wrk, {bench.CONNECTIONS} connections, "
             f"{bench.processes(bench.GATEWAYS, bench.SHARDS)}; median of {ROUNDS} rounds of {SECONDS_PER_ROUND} s"]
    for mode, calls in results.items():
        lines += ["", f"  {PRINTED_MODES[mode]}", f"  {'call':<11}{'server':<15}{'us CPU':>8}{'spread':>16}{'user':>7}"
                  f"{'system':>8}{'a second':>10}{'p50 us':>9}{'p90 us':>9}{'p99 us':>9}  Usher's CPU over its"]
        for call, row in calls.items():
            for name, each in row.items():
                spread = f"{each['least']:.2f}-{each['most']:.2f}"
                of = each["ofUsher"]
                beside = "" if name == "usher" else f"  {of['median']:.2f} ({of['least']:.2f}-{of['most']:.2f})"
                lines.append(f"  {call:<11}{name:<15}{each['cpuMicroseconds']:>8.2f}{spread:>16}"
                             f"{each['userMicroseconds']:>7.2f}{each['systemMicroseconds']:>8.2f}{each['perSecond']:>10.0f}"
                             f"{each['p50Microseconds']:>9.0f}{each['p90Microseconds']:>9.0f}"
                             f"{each['p99Microseconds']:>9.0f}{beside}")
    return "\n".join(lines) + "\n"


def latency_table(slow):
    lines = ["", f"  polls at half of what Usher carries on one core, {slow['offeredPerSecond']:.0f} a second (open load)",
             f"  {'server':<15}{'p50 us':>9}{'p90 us':>9}{'p99 us':>9}{'p99.9 us':>10}"]
    for name, each in slow["servers"].items():
        lines.append(f"  {name:<15}{each['p50']:>9.0f}{each['p90']:>9.0f}{each['p99']:>9.0f}{each['p999']:>10.0f}")
    return "\n".join(lines) + "\n"


def versions():
    """Of all that was measured, and of what measured it, each by its own word."""
    commands = {
        "usher": [os.environ.get("USHER") or servers.ROOT / ".build/release/usher", "--version"],
        "commit": ["git", "-C", servers.ROOT, "describe", "--always", "--dirty"],
        "swift": ["swift", "--version"],
        "nginx": ["nginx", "-v"],
        "haproxy": ["haproxy", "-v"],
        "redis": ["redis-server", "--version"],
        "wrk": ["wrk", "-v"],
    }
    found = {}
    for name, [command, *words] in commands.items():
        with contextlib.suppress(servers.ServerError, OSError):  # not here, and so not measured
            path = command if isinstance(command, pathlib.Path) else servers.program(str(command), "bench")
            run = subprocess.run([path, *words], capture_output=True, text=True, check=False)
            found[name] = next(iter((run.stdout + run.stderr).strip().splitlines()), "")
    return found


if __name__ == "__main__":
    servers.run(main, "bench")
