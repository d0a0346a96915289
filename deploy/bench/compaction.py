#!/usr/bin/env python3
"""What a compaction costs the clients that are served meanwhile: p99 of joins and polls with and without one.

    wrk, CONNECTIONS with pauses ──▶ Usher: one gateway, one shard, journal.policy commit
    two probes, 500 a second each ─▶        beside it, for a while:  usher journal compact, as the supervisor runs it

Each round fills the journal by FILL_SECONDS (10) of joins as fast as they go, so that the compaction is a long one. Then wrk joins
at about half of the capacity (its connections pause THINK_MILLISECONDS, 2, between two requests), two probes send a poll and a
join every 2 ms and measure the answers, and a compaction runs once. The probes' answers while it ran are compared with those
before and after. Half, because a machine without a moment to spare has no room for any other process.

From the environment too: ROUNDS (3), CONNECTIONS, ARCHIVE (on), DISK. Leaves bench/compaction.json. A wrong answer, or a
compaction that fails, makes the run invalid.
"""

import os
import signal
import socket
import statistics
import subprocess
import threading
import time

import bench
import servers

ROUNDS = bench.setting("ROUNDS", 3)
FILL_SECONDS = bench.setting("FILL_SECONDS", 10)
THINK = bench.setting("THINK_MILLISECONDS", "2")
ARCHIVE = bench.setting("ARCHIVE", "on")
GOAL = 2.0  # p99 with a compaction over that without, at most
SECONDS_OF_ROUND_MAX, SECONDS_BEFORE, SECONDS_AFTER = 45, 3, 2
PROBE_EVERY = 0.002
SETTLING = 0.25  # after a compaction's end, before its answers count as those without
FIRST_PROBE_USER = 3_000_000_000


class Probe:
    """One connection that sends a request every 2 ms, or as soon as the answer before is there, until `stop`."""

    def __init__(self, port, requests):
        self.requests, self.samples, self.problems = requests, [], []  # a sample: when sent, and seconds to the answer
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
            sent = time.monotonic()
            self.connection.sendall(request)
            answer = self.connection.recv(65536)
            answered = time.monotonic()
            if not answer.startswith(b"HTTP/1.1 200 "):
                self.problems.append(f"a probe was answered {answer[:60]!r}")
                break
            self.samples.append((sent, answered - sent))
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
            yield f"GET /api/v1/waiting?concertId={concert} HTTP/1.1\r\nHost: probe\r\nX-Concert-Token: {token}\r\n\r\n".encode()


def joins(user):
    while True:
        user += 1
        body = f'{{"concertId":{user % bench.CONCERTS + 1},"userId":{user}}}'
        yield (f"POST /api/v1/waiting HTTP/1.1\r\nHost: probe\r\nContent-Type: application/json\r\n"
               f"Content-Length: {len(body)}\r\n\r\n{body}").encode()


def main():
    rounds, problems = [], []
    with servers.Cluster("1", "1", ["--set", f"journal.compactBytes={1 << 40}"], bench.DISK) as cluster:
        bench.say(f"filling the lines of {bench.CONCERTS} concerts")
        lines = bench.fill_lines(cluster.port, ROUNDS * SECONDS_OF_ROUND_MAX)
        for number in range(1, ROUNDS + 1):
            rounds.append(measure(cluster, number, lines, problems))
            bench.say(f"round {number} of {ROUNDS}: {rounds[-1]['load']:.0f} joins/s beside {rounds[-1]['seconds']:.1f} s of compaction")
    rows, goals = [], []
    for call in ("join", "poll"):
        for kind in ("without", "with"):
            rows.append((call, kind, *(f"{statistics.median(each[call][kind][at] for each in rounds):,.0f}" for at in (0, 1, 2))))
        ratio = statistics.median(each[call]["with"][1] / each[call]["without"][1] for each in rounds)
        goals.append((f"p99 of {call}s with a compaction, over that without", "at most", GOAL, ratio))
    seconds = statistics.median(each["seconds"] for each in rounds)
    table = bench.Table(("call", f"compaction of {seconds:.1f} s", "p50 µs", "p99 µs", "most µs"), rows)
    return bench.finish("compaction", {"rounds": rounds}, {"compaction": [bench.goals(*goals), table]}, problems)


def measure(cluster, number, lines, problems):
    first_user = bench.FIRST_USER + 2 * number * bench.USERS_PER_RUN
    bench.measure(cluster, ["join", str(first_user), str(bench.CONCERTS)], FILL_SECONDS)
    command = bench.wrk(cluster, ["join", str(first_user + bench.USERS_PER_RUN), str(bench.CONCERTS)], 3_600)
    load = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                            env=os.environ | {"THINK_MILLISECONDS": THINK}, preexec_fn=servers.end_with_parent)
    probes = {"join": Probe(cluster.port, joins(FIRST_PROBE_USER + number * 10_000_000)), "poll": Probe(cluster.port, polls(lines))}
    time.sleep(SECONDS_BEFORE)
    begun = time.monotonic()
    done = compact(cluster)
    ended = time.monotonic()
    time.sleep(SECONDS_AFTER)
    for probe in probes.values():
        probe.stop()
        problems += probe.problems
    load.send_signal(signal.SIGINT)  # wrk sums up what it has
    run = bench.summary_of(load.communicate()[0], load.returncode)
    problems += bench.failures_of(run, f"round {number}")
    if done.returncode != 0:
        problems.append(done.stderr.strip())
    found = {"load": run["perSecond"], "seconds": ended - begun}
    for call, probe in probes.items():
        found[call] = {
            "with": percentiles(took for sent, took in probe.samples if begun <= sent < ended),
            "without": percentiles(took for sent, took in probe.samples if sent < begun or sent > ended + SETTLING),
        }
    return found


def compact(cluster):
    usher = os.environ.get("USHER") or servers.ROOT / ".build/release/usher"
    command = ["chrt", "--batch", "0", "nice", "-n", "10", usher, "journal", "compact", "--state", cluster.state,
               "--set", f"journal.archive={ARCHIVE}"]
    return subprocess.run([str(word) for word in command], capture_output=True, text=True, check=False)


def percentiles(seconds):
    """p50, p99 and the most, in microseconds."""
    ordered = sorted(seconds)
    return [ordered[min(len(ordered) - 1, int(len(ordered) * share))] * 1e6 for share in (0.5, 0.99, 1.0)]


if __name__ == "__main__":
    bench.run(main, "bench-compaction")
