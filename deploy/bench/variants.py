#!/usr/bin/env python3
"""What single settings cost: CPU of a poll or a durable join with each, beside the same with the default settings.

All variants of a call are measured one after another in each of ROUNDS (3), for SECONDS_PER_ROUND (5) over CONNECTIONS kept alive,
in alternating order; the figures are medians, of the CPU and of the difference to the default of the same round. Joins are
measured on one shard unless the variant says otherwise.

From the environment too: CALLS (poll,join), GATEWAYS (1), DISK. Leaves bench/variants.json.
"""

import base64
import contextlib
import hashlib
import hmac
import json
import secrets
import statistics
import time

import bench
import servers

ROUNDS = bench.setting("ROUNDS", 3)
SECONDS_PER_ROUND = bench.setting("SECONDS_PER_ROUND", 5)
CALLS = bench.setting("CALLS", "poll,join").split(",")
WARM_UP_SECONDS = 1


def variants(folder):
    """By call and name: the number of shards, and settings that differ."""
    log = [f"accessLog.file={folder}/access.log"]
    jwt = ["identity.mode=jwt", f"identity.keyFile={folder}/keys.json"]
    return {
        "poll": {
            "default": ("1", []),
            "access log": ("1", log),
            "access log, 1 in 100": ("1", [*log, "accessLog.pollSample=100"]),
            "login, cached": ("1", jwt),
            "login, checked each time": ("1", [*jwt, "identity.cachedTokensMax=4"]),
        },
        "join": {
            "journal.policy=commit": ("1", []),
            "journal.policy=interval": ("1", ["journal.policy=interval"]),
            "journal.policy=none": ("1", ["journal.policy=none"]),
            "journal.kind=memory": ("1", ["journal.kind=memory"]),
            "commit, 4 shards": ("4", []),
        },
    }


def main():
    rows, runs, problems = [], [], []
    with servers.scratch_folder("variants", bench.DISK) as folder:
        key = secrets.token_bytes(32)
        (folder / "keys.json").write_text(json.dumps({"keys": [{"kty": "oct", "kid": "1", "alg": "HS256", "k": text(key)}]}))
        for call, kinds in variants(folder).items():
            if call in CALLS:
                found = measure_all(call, kinds, key, folder, problems)
                runs += [{"call": call, "name": name, **each} for name, these in found.items() for each in these]
                rows += rows_of(call, found)
    table = bench.Table(("call", "with", "µs of CPU", "more than the first", "a second", "p99 ms"), rows)
    return bench.finish("variants", {"runs": runs}, {"variants": [table]}, problems, is_whole=len(CALLS) == 2)


def measure_all(call, kinds, key, folder, problems):
    """The runs of one call by variant."""
    found = {name: [] for name in kinds}
    with contextlib.ExitStack() as stack:
        clusters = {}
        for name, (shards, settings) in kinds.items():
            flags = [word for each in ["booking.admissionsPerSecond=1", f"journal.compactBytes={1 << 40}", *settings] for word in ("--set", each)]
            cluster = servers.Cluster(shards, bench.GATEWAYS, flags, bench.DISK)
            clusters[name] = stack.enter_context(cluster)
            if call == "poll":
                login = (lambda user: f"Authorization: Bearer {signed(key, user)}\r\n".encode()) if "login" in name else (lambda _: b"")
                seconds = len(kinds) * (ROUNDS + 1) * (SECONDS_PER_ROUND + 1) + 60
                lines = bench.fill_lines(cluster.port, seconds, rate=1, headers=login)
                (folder / name).write_text("\n".join(lines) + "\n")
        user = bench.FIRST_USER
        for number in range(ROUNDS + 1):
            for name in kinds if number % 2 else reversed(kinds):
                user += bench.USERS_PER_RUN
                what = ["poll", folder / name] if call == "poll" else ["join", user, bench.CONCERTS]
                run = bench.measure(clusters[name], what, SECONDS_PER_ROUND if number else WARM_UP_SECONDS)
                problems += bench.failures_of(run, f"{call}, {name}")
                bench.say(f"round {number} of {ROUNDS}: {call}, {name}: {run['cpuMicroseconds']:.2f} us")
                if number:
                    found[name].append(run)
    return found


def rows_of(call, found):
    plain = next(iter(found.values()))
    for name, runs in found.items():
        more = statistics.median(run["cpuMicroseconds"] - first["cpuMicroseconds"] for run, first in zip(runs, plain))
        median = {key: statistics.median(run[key] for run in runs) for key in ("cpuMicroseconds", "perSecond", "p99")}
        yield (call, name, f"{median['cpuMicroseconds']:.2f}", f"{more:+.2f}" if runs is not plain else "",
               f"{median['perSecond']:,.0f}", f"{median['p99'] / 1000:.1f}")


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def signed(key, user):
    """A JSON Web Token for an hour."""
    claims = {"sub": str(user), "exp": int(time.time()) // 3600 * 3600 + 7200}  # the same each time that it is asked for
    parts = ".".join(text(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT", "kid": "1"}, claims))
    return f"{parts}.{text(hmac.new(key, parts.encode(), hashlib.sha256).digest())}"


if __name__ == "__main__":
    bench.run(main, "bench-variants")
