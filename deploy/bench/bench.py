#!/usr/bin/env python3
"""CPU per request of a poll and of a join, over all of Usher's processes, beside nginx answering `return 200`.

A server's speed on a shared machine changes from minute to minute; what it costs, beside a known server measured in the
same minutes, does not. So each round measures all four (poll and join, Usher and nginx) one after another, and the
figure is the median of the rounds. CPU is user and system time from /proc/PID/stat, of every process of the cluster
(supervisor, gateways, shards) or of nginx (master, worker), from just before wrk starts to just after it ends.

    wrk, C connections kept alive ─▶ Usher: one gateway, four shards     or     nginx: one worker

The polls ask for tokens that wait during the whole benchmark: before it, enough people join each concert that those
polled last stand behind all whom the lines admit meanwhile. The joins carry a new user each, so lines grow all along.
Both spread over CONCERTS concerts, and thereby over all shards; CONCERTS=1 measures one hot shard instead.

An answer that is not 200, a broken connection or a timeout makes the run invalid, and the exit code 1.

From the environment: ROUNDS (3), SECONDS_PER_ROUND (5), CONNECTIONS (64), SHARDS (4), GATEWAYS (1), CONCERTS (8).
Leaves bench/polls-and-joins.json.
"""

import http.client
import json
import os
import pathlib
import platform
import shutil
import statistics
import subprocess
import sys
import time

import burst
import servers

ROUNDS = int(os.environ.get("ROUNDS") or 3)
SECONDS_PER_ROUND = int(os.environ.get("SECONDS_PER_ROUND") or 5)
CONNECTIONS = int(os.environ.get("CONNECTIONS") or 64)
SHARDS = os.environ.get("SHARDS") or "4"
GATEWAYS = os.environ.get("GATEWAYS") or "1"
CONCERTS = int(os.environ.get("CONCERTS") or 8)  # below 10: one digit, so that every join is as long

# nginx keeps nothing, so that is what it is compared with; journal.py measures what keeping costs.
IN_MEMORY = ["--set", "journal.kind=memory"]
WRK_THREADS = 1  # its share of two cores; Lua is quick enough
POLLED_PER_CONCERT = 128
ADMISSIONS_PER_SECOND = 50  # of each concert, by default
LAUNCH_SECONDS = 3  # of each wrk, beside its measured time, at most
FIRST_USER = 10**14  # 15 digits, so that every join is as long; far from anybody else's ids
USERS_PER_RUN = 10**10  # more than one wrk run can use up

GOALS = {"poll": 1.5, "join": 2.5}  # Usher's CPU per request over nginx's, at most


def main():
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    if shutil.which("wrk") is None:
        raise servers.ServerError("no wrk here; `deploy/setup bench` installs it")
    with servers.Cluster(SHARDS, GATEWAYS, IN_MEMORY) as cluster, servers.Nginx() as nginx:
        tokens = cluster.folder / "tokens"
        print(f"bench: filling the lines of {CONCERTS} concerts", flush=True)
        tokens.write_text("\n".join(fill_lines(cluster.port)) + "\n")
        runs = measure_all({"usher": cluster, "nginx": nginx}, tokens)
        problems = problems_of(runs) + still_waiting(cluster.port, tokens)
    results = summarise(runs)
    print(table(results))
    save(results, runs, problems)
    for problem in problems:
        print(f"bench: INVALID: {problem}")
    return 1 if problems else 0


def fill_lines(port):
    """Makes every line so long that its last people wait through the whole benchmark; gives those, as wrk.lua reads."""
    planned = ROUNDS * len(GOALS) * 2 * (SECONDS_PER_ROUND + LAUNCH_SECONDS) + 30
    length = planned * ADMISSIONS_PER_SECOND + POLLED_PER_CONCERT
    lines = []
    for concert in range(1, CONCERTS + 1):
        first = FIRST_USER - concert * USERS_PER_RUN
        answers = burst.join_all(port, concert, first, length, connections=8)
        last = sorted(range(length), key=lambda at: answers[at]["place"])[-POLLED_PER_CONCERT:]
        lines += [f"{concert} {answers[at]['tokenId']}" for at in last]
    # Neighbours in the file belong to different concerts, as polls of a real crowd do.
    return [lines[at] for start in range(POLLED_PER_CONCERT) for at in range(start, len(lines), POLLED_PER_CONCERT)]


def measure_all(targets, tokens):
    """One warming run each, then the rounds; which server goes first alternates."""
    runs = []
    first_user = FIRST_USER
    for round_number in range(ROUNDS + 1):
        names = list(targets) if round_number % 2 else list(reversed(targets))
        for call in GOALS:
            for name in names:
                what = ["poll", str(tokens)] if call == "poll" else ["join", str(first_user), str(CONCERTS)]
                first_user += USERS_PER_RUN
                run = measure(targets[name], what, SECONDS_PER_ROUND if round_number else 1)
                if round_number:
                    runs.append({"round": round_number, "server": name, "call": call, **run})
                    print(f"bench: round {round_number} of {ROUNDS}: {call} {name}: "
                          f"{run['cpuMicroseconds']:.2f} us of CPU a request, {run['perSecond']:.0f}/s", flush=True)
    return runs


def measure(server, what, seconds):
    """One wrk run: its own summary, and the CPU that the server's processes used meanwhile."""
    pids = server.pids()
    before = servers.cpu_seconds(pids)
    output = subprocess.run(wrk(server, what, seconds), capture_output=True, text=True, check=False)
    used = servers.cpu_seconds(pids) - before
    run = summary_of(output.stdout + output.stderr, output.returncode)
    run["cpuSeconds"] = used
    run["cpuMicroseconds"] = used * 1e6 / run["requests"]
    return run


def wrk(server, what, seconds):
    command = ["wrk", "-t", str(WRK_THREADS), "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--latency"]
    return command + ["-s", str(servers.HERE / "wrk.lua"), server.url, "--", str(WRK_THREADS), *what]


def summary_of(output, code):
    """What wrk.lua says at the end of a run."""
    summary = [line for line in output.splitlines() if line.startswith("BENCH ")]
    if code != 0 or not summary:
        raise servers.ServerError(f"wrk ended with {code}:\n{output}")
    run = json.loads(summary[0].removeprefix("BENCH "))
    if run["requests"] == 0:
        raise servers.ServerError(f"no request was answered:\n{output}")
    run["perSecond"] = run["requests"] * 1e6 / run["microseconds"]
    return run


def problems_of(runs):
    problems = []
    for run in runs:
        if run["notOK"] or run["broken"] or run["timeouts"]:
            where = f"round {run['round']}, {run['call']} {run['server']}"
            problems.append(f"{where}: {run['notOK']} answers were not 200, "
                            f"{run['broken']} connections broke, {run['timeouts']} timed out")
    return problems


def still_waiting(port, tokens):
    """The polled people must not have been admitted meanwhile: another answer may cost something else."""
    concert, token = tokens.read_text().splitlines()[0].split()
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
    connection.request("GET", f"/api/v1/waiting?concertId={concert}", headers={"X-Concert-Token": token})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    if answer.status == 200 and body.get("tokenId") == token and body.get("remainingWaitingOrder", 0) > 0:
        return []
    return [f"a polled token does not wait any more at the end: {answer.status} {body}"]


def summarise(runs):
    """Per call and server the median CPU per request and its spread, and the ratio of the medians."""
    results = {}
    for call, goal in GOALS.items():
        row = {"goal": goal}
        for name in ("usher", "nginx"):
            these = [run for run in runs if run["call"] == call and run["server"] == name]
            cpu = [run["cpuMicroseconds"] for run in these]
            row[name] = {
                "cpuMicroseconds": statistics.median(cpu),
                "least": min(cpu),
                "most": max(cpu),
                "perSecond": statistics.median(run["perSecond"] for run in these),
                "p50Microseconds": statistics.median(run["p50"] for run in these),
                "p99Microseconds": statistics.median(run["p99"] for run in these),
            }
        row["ratio"] = row["usher"]["cpuMicroseconds"] / row["nginx"]["cpuMicroseconds"]
        results[call] = row
    return results


def table(results):
    lines = ["", f"CPU per request over all processes; wrk, {CONNECTIONS} connections kept alive, {GATEWAYS} gateway, "
             f"{SHARDS} shards, {CONCERTS} concerts, journal in memory; median of {ROUNDS} rounds of {SECONDS_PER_ROUND} s", ""]
    lines.append(f"  {'call':<6}{'server':<8}{'us CPU':>8}{'spread':>16}{'a second':>11}"
                 f"{'p50 us':>9}{'p99 us':>9}  ratio")
    for call, row in results.items():
        for name in ("usher", "nginx"):
            each = row[name]
            spread = f"{each['least']:.2f}-{each['most']:.2f}"
            ending = ""
            if name == "usher":
                met = "met" if row["ratio"] <= row["goal"] else "NOT MET"
                ending = f"  {row['ratio']:.2f}, goal {row['goal']}: {met}"
            lines.append(f"  {call:<6}{name:<8}{each['cpuMicroseconds']:>8.2f}{spread:>16}{each['perSecond']:>11.0f}"
                         f"{each['p50Microseconds']:>9.0f}{each['p99Microseconds']:>9.0f}{ending}")
    return "\n".join(lines) + "\n"


def save(results, runs, problems):
    write_record("polls-and-joins.json", {
        "settings": {"rounds": ROUNDS, "secondsPerRound": SECONDS_PER_ROUND, "connections": CONNECTIONS,
                     "shards": SHARDS, "gateways": GATEWAYS, "concerts": CONCERTS,
                     "journal": "memory"},
        "valid": not problems,
        "problems": problems,
        "results": results,
        "runs": runs,
    })


def write_record(name, record):
    """Leaves the numbers of a benchmark in the folder bench, with when and where they were measured."""
    folder = servers.ROOT / "bench"
    folder.mkdir(exist_ok=True)
    path = folder / name
    where = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"system": platform.platform(), "cores": os.cpu_count(), "processor": processor()},
    }
    path.write_text(json.dumps(where | record, indent=2) + "\n")
    print(f"bench: all numbers are in {path.relative_to(servers.ROOT)}")


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()


if __name__ == "__main__":
    try:
        sys.exit(main())
    except servers.ServerError as problem:
        sys.exit(f"bench: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)
