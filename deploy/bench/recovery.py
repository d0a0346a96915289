#!/usr/bin/env python3
"""How long a shard with 1,000,000 people waiting and 100,000 reservations is away after a kill -9.

`benchmarks large-shard` writes the journal of such a shard; a cluster of that one shard is started on it, and somebody joins and
polls again and again. Then the shard is killed: the figure is the time from the kill to the first answer 200, over HTTP, with
the same place and the same counts as before. It holds all of the supervisor noticing, the new process, its history, and the
gateway finding it again. First the history is a journal of 1,125,000 facts and more, then a snapshot of it.

Each of ROUNDS (3) starts anew. From the environment too: DISK. Leaves bench/recovery.json; the exit code is 1 when the answers
were not the same.
"""

import contextlib
import http.client
import os
import re
import signal
import statistics
import subprocess
import time

import bench
import servers

ROUNDS = bench.setting("ROUNDS", 3)
WAITING, RESERVATIONS = 1_000_000, 100_000
GOAL_SECONDS = 2.0
PATIENCE_SECONDS = 60


class LargeCluster(servers.Cluster):
    """A cluster of one shard on a state that lasts over several starts."""

    def __init__(self, state, catalogue, compacts_first):
        flags = ["--set", f"journal.compactBytes={1 << 40}", "--catalogue", catalogue]
        super().__init__("1", "1", flags, bench.DISK)
        self.state, self.compacts_first = state, compacts_first

    def launch(self):
        if self.compacts_first:
            usher = os.environ.get("USHER") or servers.ROOT / ".build/release/usher"
            command = [usher, "journal", "compact", "--state", self.state, *self.flags]
            subprocess.run([str(word) for word in command], check=True, stdout=subprocess.DEVNULL)
        super().launch()


def main():
    runs, problems = {"journal": [], "snapshot": []}, []
    with servers.scratch_folder("large", bench.DISK) as folder:
        state, catalogue = folder / "state", folder / "catalogue.json"
        bench.say("writing the journal of a shard with 1,000,000 people waiting and 100,000 reservations")
        bench.benchmarks("large-shard", state, catalogue)
        user = bench.FIRST_USER
        for history, rounds in runs.items():
            for number in range(ROUNDS):
                user += 1
                with LargeCluster(state, catalogue, compacts_first=history == "snapshot" and number == 0) as cluster:
                    rounds.append(kill_once(cluster, user, problems))
                bench.say(f"{history}, round {number + 1} of {ROUNDS}: back after {rounds[-1]['seconds']:.2f} s")
    rows = []
    for history, rounds in runs.items():
        seconds = [each["seconds"] for each in rounds]
        last = rounds[-1]
        rows.append((history, f"{statistics.median(seconds):.2f}", f"{min(seconds):.2f} to {max(seconds):.2f}",
                     f"{statistics.median(each['historySeconds'] for each in rounds):.2f}", f"{last['facts']:,}",
                     *(f"{last[key] / 2**20:.0f} MiB" for key in ("journalBytes", "snapshotBytes", "residentBytes"))))
    slowest = max(each["seconds"] for rounds in runs.values() for each in rounds)
    goals = bench.goals(("seconds until the shard answers again, at most seen", "at most", GOAL_SECONDS, slowest))
    table = bench.Table(("history", "back after s", "spread", "reading it s", "facts", "journal", "snapshot", "memory"), rows)
    return bench.finish("recovery", {"runs": runs}, {"recovery": [goals, table]}, problems)


def kill_once(cluster, user, problems):
    """Kills the shard and waits for the first answer; how long that took. What differs then is a problem."""
    [joined] = bench.join_all(cluster.port, 1, user, 1, connections=1)
    before, counts_before = place(cluster.port, joined["tokenId"]), counts(cluster)
    killed = time.monotonic()
    os.kill(cluster.members()["shards"][0], signal.SIGKILL)
    after = None
    while after is None:
        if time.monotonic() - killed > PATIENCE_SECONDS:
            raise servers.ServerError(f"the shard does not come back:\n{cluster.log_tail()}")
        time.sleep(0.002)
        with contextlib.suppress(OSError, http.client.HTTPException):
            after = place(cluster.port, joined["tokenId"])
    seconds = time.monotonic() - killed
    if not 0 <= before - after <= seconds + 2:  # one person is let in each second
        problems.append(f"the place was {before}, and is {after}")
    if counts_before["held"] != RESERVATIONS or before < WAITING * 0.99:
        problems.append(f"the shard was not the one that was meant: {counts_before}, place {before}")
    if counts(cluster) != counts_before:
        problems.append(f"the shard knew {counts_before}, and knows {counts(cluster)}")
    told = re.findall(r"history .*facts=(\d+) .*took_ms=(\d+)", cluster.log.read_text(errors="replace"))
    sizes = {"journalBytes": 0, "snapshotBytes": 0, "archiveBytes": 0}
    for path in (cluster.state / "journal").iterdir():
        sizes[f"{next((word for word in ('snapshot', 'archive') if word in path.name), 'journal')}Bytes"] += path.stat().st_size
    shard = servers.get_json(f"{cluster.operator_url}/stats", timeout=10)["shards"][0]
    return {"seconds": seconds, "historySeconds": int(told[-1][1]) / 1000, "facts": int(told[-1][0]),
            "residentBytes": shard["process"]["residentBytes"], **sizes}


def place(port, token):
    """The place of a token; None while the answer is 503."""
    status, body = bench.poll(port, 1, token)
    if status not in (200, 503):
        raise servers.ServerError(f"a poll was answered {status}: {body}")
    return body["remainingWaitingOrder"] if status == 200 else None


def counts(cluster):
    """What must be the same: people who have joined, and seats."""
    [concert] = servers.get_json(f"{cluster.operator_url}/stats", timeout=10)["shards"][0]["concerts"]
    return {"joined": concert["joined"], "held": concert["held"], "free": concert["free"]}


if __name__ == "__main__":
    bench.run(main, "bench-recovery")
