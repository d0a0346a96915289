#!/usr/bin/env python3
"""How long a shard with 1,000,000 people waiting and 100,000 reservations is away after a kill -9.

`benchmarks large-shard` writes the journal of such a shard; a cluster of that one shard is started on it, somebody joins
and asks for their place again and again. Then the shard is killed: the figure is the time from the kill to the first
answer 200, over HTTP, with the same place and the same counts as before. It holds all of the supervisor noticing, the
new process, its history, and the gateway finding it again. First the history is a journal of 1,125,000 facts and more,
then `usher journal compact` has made a snapshot of it.

Each of ROUNDS (3) starts anew, so that each kill is the first. From the environment too: DISK (/var/tmp), a folder on the
disk that is meant, and BENCHMARKS (.build/release/benchmarks). Leaves bench/recovery.json; the exit code is 1 when the
answers were not the same.
"""

import contextlib
import http.client
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import time

import bench
import burst
import servers

DISK = os.environ.get("DISK") or "/var/tmp"
BENCHMARKS = pathlib.Path(os.environ.get("BENCHMARKS") or servers.ROOT / ".build/release/benchmarks")
FIRST_USER = 10**14
WAITING, RESERVATIONS = 1_000_000, 100_000
GOAL_SECONDS = 2.0
PATIENCE_SECONDS = 60
PAUSE_SECONDS = 0.002  # between two tries


class LargeCluster(servers.Cluster):
    """A cluster of one shard on a state that lasts over several starts."""

    def __init__(self, state, catalogue, compacts_first):
        flags = ["--set", "journal.kind=sqlite", "--set", f"journal.compactBytes={1 << 40}", "--catalogue", catalogue]
        super().__init__("1", "1", flags, DISK)
        self.state, self.compacts_first = state, compacts_first

    def launch(self):
        if self.compacts_first:
            usher = os.environ.get("USHER") or servers.ROOT / ".build/release/usher"
            command = [usher, "journal", "compact", "--state", self.state, *self.flags]
            subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
        super().launch()


def main():
    servers.stop_on_signals()
    if not BENCHMARKS.exists():
        raise servers.ServerError(f"no {BENCHMARKS}; `swift build -c release --product benchmarks` makes it")
    results, problems = {}, []
    with servers.scratch_folder("large", DISK) as folder:
        state, catalogue = folder / "state", folder / "catalogue.json"
        print("bench: writing the journal of a shard with 1,000,000 people waiting and 100,000 reservations", flush=True)
        subprocess.run([str(BENCHMARKS), "large-shard", str(state), str(catalogue)], check=True)
        for history in ("journal", "snapshot"):
            rounds = []
            for number in range(bench.ROUNDS):
                compacts_first = history == "snapshot" and number == 0
                with LargeCluster(state, catalogue, compacts_first) as cluster:
                    one = kill_once(cluster, FIRST_USER + len(results) * bench.ROUNDS + number)
                problems += one.pop("problems")
                rounds.append(one)
                print(f"bench: {history}, round {number + 1} of {bench.ROUNDS}: back after {one['seconds']:.2f} s, "
                      f"{one['historySeconds']:.2f} s of it taking the history in", flush=True)
            results[history] = {
                "seconds": statistics.median(one["seconds"] for one in rounds),
                "least": min(one["seconds"] for one in rounds),
                "most": max(one["seconds"] for one in rounds),
                "historySeconds": statistics.median(one["historySeconds"] for one in rounds),
                "facts": rounds[-1]["facts"],
                "journalBytes": rounds[-1]["journalBytes"],
                "snapshotBytes": rounds[-1]["snapshotBytes"],
                "archiveBytes": rounds[-1]["archiveBytes"],
                "residentBytes": rounds[-1]["residentBytes"],
                "rounds": rounds,
            }
    print(table(results))
    save(results, problems)
    for problem in problems:
        print(f"bench: INVALID: {problem}")
    return 1 if problems else 0


def kill_once(cluster, user):
    """Kills the shard, and waits for the first answer; how long that took, and what was different then."""
    [joined] = burst.join_all(cluster.port, 1, user, 1, connections=1)
    before, counts_before = poll(cluster.port, joined["tokenId"]), counts(cluster)
    shard = servers.get_json(f"{cluster.operator_url}/stats")["shards"][0]["process"]["pid"]
    killed = time.monotonic()
    os.kill(shard, signal.SIGKILL)
    after = None
    while after is None:
        if time.monotonic() - killed > PATIENCE_SECONDS:
            raise servers.ServerError(f"the shard does not come back:\n{cluster.log_tail()}")
        time.sleep(PAUSE_SECONDS)
        with contextlib.suppress(OSError, http.client.HTTPException):
            after = poll(cluster.port, joined["tokenId"])
    seconds = time.monotonic() - killed

    problems = []
    # A second lets one person in.
    if not 0 <= before - after <= seconds + 2:
        problems.append(f"the place was {before}, and is {after}")
    if counts_before["held"] != RESERVATIONS or before < WAITING * 0.99:
        problems.append(f"the shard was not the one that was meant: {counts_before}, place {before}")
    counts_after = counts(cluster)
    if counts_after != counts_before:
        problems.append(f"the shard knew {counts_before}, and knows {counts_after}")
    told = re.findall(r"history taken in .*facts=(\d+) .*took_ms=(\d+)", cluster.log.read_text(errors="replace"))
    return {
        "seconds": seconds,
        "historySeconds": int(told[-1][1]) / 1000,
        "facts": int(told[-1][0]),
        "residentBytes": servers.get_json(f"{cluster.operator_url}/stats")["shards"][0]["process"]["residentBytes"],
        **sizes(cluster.state / "journal"),
        "problems": problems,
    }


def poll(port, token):
    """One's place; None while nobody answers."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    with contextlib.closing(connection):
        connection.request("GET", "/api/v1/waiting?concertId=1", headers={"X-Concert-Token": token})
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status == 503:
            return None
        if answer.status != 200:
            raise servers.ServerError(f"a poll was answered {answer.status}: {body}")
        return body["remainingWaitingOrder"]


def counts(cluster):
    """What must be the same: people who have joined, seats held. (Each second lets somebody in.)"""
    shard = servers.get_json(f"{cluster.operator_url}/stats", timeout=10)["shards"][0]
    [concert] = shard["concerts"]
    return {"joined": concert["joined"], "held": concert["held"], "free": concert["free"]}


def sizes(folder):
    """The archive keeps what compactions dropped; a restart does not read it."""
    found = {"journalBytes": 0, "snapshotBytes": 0, "archiveBytes": 0}
    for path in folder.iterdir():
        kind = next((word for word in ("snapshot", "archive") if word in path.name), "journal")
        found[f"{kind}Bytes"] += path.stat().st_size
    return found


def table(results):
    lines = ["", f"A shard with 1,000,000 waiting and 100,000 reservations after kill -9; median of {bench.ROUNDS}", ""]
    lines.append(f"  {'history':<10}{'back after s':>13}{'spread':>12}{'history s':>11}{'facts':>11}{'journal':>10}"
                 f"{'snapshot':>10}{'memory':>9}")
    for history, each in results.items():
        met = "met" if each["most"] <= GOAL_SECONDS else "NOT MET"
        lines.append(f"  {history:<10}{each['seconds']:>13.2f}{each['least']:>7.2f}-{each['most']:.2f}"
                     f"{each['historySeconds']:>11.2f}{each['facts']:>11}{mebibytes(each['journalBytes']):>10}"
                     f"{mebibytes(each['snapshotBytes']):>10}{mebibytes(each['residentBytes']):>9}"
                     f"   goal {GOAL_SECONDS:.0f} s: {met}")
    return "\n".join(lines) + "\n"


def mebibytes(count):
    return f"{count / 2**20:.0f} MiB"


def save(results, problems):
    bench.write_record("recovery.json", {
        "settings": {"rounds": bench.ROUNDS, "disk": DISK},
        "valid": not problems,
        "problems": problems,
        "results": results,
    })


if __name__ == "__main__":
    servers.run(main, "bench")
