#!/usr/bin/env python3
"""What a compaction costs those who are served meanwhile: the p99 of joins and polls with and without one.

    wrk, CONNECTIONS with pauses ──▶ Usher: one gateway, one shard, journal in SQLite, policy commit
    two probes, 500 a second each ─▶        beside it, for a while:  usher journal compact, as the supervisor runs it

Each round fills the journal by FILL_SECONDS of joins as fast as they go, so that the compaction is a long one; then wrk
joins at about half of what the machine can do (its connections pause between two requests), two probes send a poll and
a join every 2 ms and write down how long each took, and a compaction runs once. What is compared is the probes' answers
while it ran with those before and after. A machine without a moment to spare has no place for a compaction, or for any
other process, without those that serve waiting longer; that is why half.

An answer that is not 200, a broken connection, a timeout, or a compaction that fails makes the run invalid, and the
exit code 1.

From the environment: ROUNDS (3), FILL_SECONDS (10), CONNECTIONS (64), THINK_MILLISECONDS (2), ARCHIVE (on), and DISK
(/var/tmp), a folder on the disk that is meant. Leaves bench/compaction.json.
"""

import os
import pathlib
import signal
import socket
import statistics
import subprocess
import threading
import time

import bench
import servers

DISK = os.environ.get("DISK") or "/var/tmp"
FILL_SECONDS = int(os.environ.get("FILL_SECONDS") or 10)
THINK = os.environ.get("THINK_MILLISECONDS") or "2"
ARCHIVE = os.environ.get("ARCHIVE") or "on"
GOAL = 2.0  # how many times the p99 without a compaction that with one may be, at most
CONCERTS = 8
CALLS = ("join", "poll")
SECONDS_OF_ROUND_MAX = 45
SECONDS_BEFORE = 3
SECONDS_AFTER = 2
PROBE_EVERY = 0.002
SETTLING = 0.25  # after a compaction's end, before its answers count as those without
FIRST_PROBE_USER = 3_000_000_000


class Probe:
    """One connection that asks every 2 ms, or as soon as the answer before is there, until `stop`."""

    def __init__(self, port, requests):
        self.requests = requests
        self.samples = []  # when asked, and how long the answer took, in seconds
        self.problems = []
        self.connection = socket.create_connection(("127.0.0.1", port), timeout=10)
        self.connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.stopped = threading.Event()
        self.thread = threading.Thread(target=self.run)
        self.thread.start()

    def run(self):
        due = time.monotonic()
        for request in self.requests:
            if self.stopped.is_set():
                break
            asked = time.monotonic()
            self.connection.sendall(request)
            answer = self.connection.recv(65536)
            answered = time.monotonic()
            if not answer.startswith(b"HTTP/1.1 200 "):
                self.problems.append(f"a probe was answered {answer[:60]!r}")
                break
            self.samples.append((asked, answered - asked))
            due = max(due + PROBE_EVERY, answered)
            time.sleep(max(0.0, due - answered))
        self.connection.close()

    def stop(self):
        self.stopped.set()
        self.thread.join()


def polls(lines):
    while True:
        for line in lines:
            concert, token = line.split()
            yield (f"GET /api/v1/waiting?concertId={concert} HTTP/1.1\r\nHost: probe\r\n"
                   f"X-Concert-Token: {token}\r\n\r\n").encode()


def joins(first_user):
    user = first_user
    while True:
        user += 1
        body = f'{{"concertId":{user % CONCERTS + 1},"userId":{user}}}'
        yield (f"POST /api/v1/waiting HTTP/1.1\r\nHost: probe\r\nContent-Type: application/json\r\n"
               f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


def main():
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    servers.program("wrk", "bench")
    flags = ["--set", "journal.kind=sqlite", "--set", f"journal.compactBytes={1 << 40}"]
    rounds, problems = [], []
    with servers.Cluster("1", "1", flags, DISK) as cluster:
        tokens = pathlib.Path(cluster.folder) / "tokens"
        print(f"bench: filling the lines of {CONCERTS} concerts", flush=True)
        lines = bench.fill_lines(cluster.port, bench.ROUNDS * SECONDS_OF_ROUND_MAX)
        tokens.write_text("\n".join(lines) + "\n")
        for number in range(1, bench.ROUNDS + 1):
            row, wrong = measure(cluster, number, lines)
            rounds.append(row)
            problems += [f"round {number}: {each}" for each in wrong]
            print(f"bench: round {number} of {bench.ROUNDS}: {row['load']:.0f} joins/s beside {row['seconds']:.1f} s of "
                  "compaction: " + ", ".join(
                      f"{call} p99 {row[call]['without']['p99']:.0f} us, {row[call]['with']['p99']:.0f} meanwhile"
                      for call in CALLS), flush=True)
        problems += bench.still_waiting(cluster.port, tokens)
    results = summarise(rounds)
    print(table(results))
    bench.write_record("compaction.json", {
        "settings": {"rounds": bench.ROUNDS, "fillSeconds": FILL_SECONDS, "connections": bench.CONNECTIONS,
                     "thinkMilliseconds": THINK, "archive": ARCHIVE, "folder": DISK},
        "valid": not problems,
        "problems": problems,
        "results": results,
        "rounds": rounds,
    })
    for problem in problems:
        print(f"bench: INVALID: {problem}")
    return 1 if problems else 0


def measure(cluster, number, lines):
    first_user = bench.FIRST_USER + 2 * number * bench.USERS_PER_RUN
    fill = bench.measure(cluster, ["join", str(first_user), str(CONCERTS)], FILL_SECONDS)
    load = Load(cluster, first_user + bench.USERS_PER_RUN)
    probes = {
        "join": Probe(cluster.port, joins(FIRST_PROBE_USER + number * 10_000_000)),
        "poll": Probe(cluster.port, polls(lines)),
    }
    time.sleep(SECONDS_BEFORE)
    begun = time.monotonic()
    compaction = compact(cluster)
    ended = time.monotonic()
    time.sleep(SECONDS_AFTER)
    for probe in probes.values():
        probe.stop()
    run = load.stop()
    row = {"load": run["perSecond"], "filled": fill["requests"], "seconds": ended - begun,
           "said": compaction.stdout.strip()}
    for call, probe in probes.items():
        during = [took for asked, took in probe.samples if begun <= asked < ended]
        beside = [took for asked, took in probe.samples if asked < begun or asked > ended + SETTLING]
        row[call] = {"with": percentiles(during), "without": percentiles(beside)}
    problems = [problem for probe in probes.values() for problem in probe.problems]
    problems += bench.problems_of([{"round": number, "call": "join", "server": "load", **run}])
    if compaction.returncode != 0:
        problems.append(compaction.stderr.strip())
    return row, problems


class Load:
    """wrk, joining with pauses until it is stopped."""

    SECONDS = 3_600

    def __init__(self, cluster, first_user):
        os.environ["THINK_MILLISECONDS"] = THINK
        command = bench.wrk(cluster, ["join", str(first_user), str(CONCERTS)], self.SECONDS)
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        del os.environ["THINK_MILLISECONDS"]

    def stop(self):
        self.process.send_signal(signal.SIGINT)  # wrk sums up what it has
        return bench.summary_of(self.process.communicate()[0], self.process.returncode)


def compact(cluster):
    usher = os.environ.get("USHER") or servers.ROOT / ".build/release/usher"
    command = ["chrt", "--batch", "0", "nice", "-n", "10", str(usher), "journal", "compact"]
    command += ["--state", str(cluster.state), "--set", f"journal.archive={ARCHIVE}"]
    return subprocess.run(command, capture_output=True, text=True, check=False)


def percentiles(seconds):
    ordered = sorted(seconds)
    return {"count": len(ordered), **{
        name: ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e6
        for name, share in (("p50", 0.5), ("p99", 0.99), ("most", 1.0))}}


def summarise(rounds):
    results = {"goal": GOAL, "seconds": statistics.median(row["seconds"] for row in rounds)}
    for call in CALLS:
        results[call] = {
            kind: {name: statistics.median(row[call][kind][name] for row in rounds) for name in ("p50", "p99", "most")}
            for kind in ("without", "with")
        }
        results[call]["ratio"] = statistics.median(
            row[call]["with"]["p99"] / row[call]["without"]["p99"] for row in rounds)
    return results


def table(results):
    lines = ["", f"Answers beside a compaction of {results['seconds']:.1f} s; wrk, {bench.CONNECTIONS} connections that "
             f"pause {THINK} ms, 1 gateway, 1 shard, journal.policy commit, archive {ARCHIVE}; medians of "
             f"{bench.ROUNDS} rounds", ""]
    lines.append(f"  {'call':<6}{'compaction':<12}{'p50 us':>9}{'p99 us':>9}{'most us':>9}")
    for call in CALLS:
        for kind in ("without", "with"):
            each = results[call][kind]
            lines.append(f"  {call:<6}{kind:<12}{each['p50']:>9.0f}{each['p99']:>9.0f}{each['most']:>9.0f}")
        met = "met" if results[call]["ratio"] <= GOAL else "NOT MET"
        lines.append(f"  p99 of {call}s with one over without: {results[call]['ratio']:.2f}, goal {GOAL:.0f}: {met}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    servers.run(main, "bench")
