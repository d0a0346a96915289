#!/usr/bin/env python3
"""What the access log and logins cost, in CPU of all processes of a cluster for a poll, each beside a cluster without:

    access log        accessLog.file on DISK (/var/tmp), a line for each poll
    1 in 100          accessLog.pollSample=100
    login, known      identity.mode=jwt, HS256: each person's login was seen before
    login, checked    the same with a cache of four, so that each poll's signature is checked

All are measured one after another in each of ROUNDS (3), for SECONDS_PER_ROUND (5) over CONNECTIONS (64) that are kept; the
figures are medians, of the polls and of what each takes more than the plain one of its round. Leaves bench/extras.json.
"""

import base64
import contextlib
import hashlib
import hmac
import http.client
import json
import os
import secrets
import statistics
import time

import bench
import servers

DISK = os.environ.get("DISK") or "/var/tmp"
FLAGS = ["--set", "journal.kind=memory", "--set", "booking.admissionsPerSecond=1"]
WARM_UP_SECONDS = 1


def main():
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    runs = []
    with contextlib.ExitStack() as stack:
        folder = stack.enter_context(servers.scratch_folder("extras", DISK))
        key = secrets.token_bytes(32)
        (folder / "keys.json").write_text(json.dumps({"keys": [{"kty": "oct", "kid": "1", "alg": "HS256", "k": text(key)}]}))
        log = ["--set", f"accessLog.file={folder}/access.log"]
        jwt = ["--set", "identity.mode=jwt", "--set", f"identity.keyFile={folder}/keys.json"]
        kinds = {
            "plain": [], "access log": log, "1 in 100": [*log, "--set", "accessLog.pollSample=100"],
            "login, known": jwt, "login, checked": [*jwt, "--set", "identity.cachedTokensMax=4"],
        }
        clusters = {
            name: stack.enter_context(servers.Cluster(bench.SHARDS, bench.GATEWAYS, [*FLAGS, *flags]))
            for name, flags in kinds.items()
        }
        people = {}
        for name, cluster in clusters.items():
            people[name] = folder / f"{name}.txt"
            people[name].write_text("\n".join(wait_in_line(cluster.port, key if "login" in name else None)) + "\n")
            bench.measure(cluster, ["poll", str(people[name])], WARM_UP_SECONDS)
        for number in range(1, bench.ROUNDS + 1):
            for name, cluster in clusters.items():
                run = bench.measure(cluster, ["poll", str(people[name])], bench.SECONDS_PER_ROUND)
                runs.append(run | {"round": number, "call": "poll", "server": name})
        stats = {name: servers.get_json(f"{each.operator_url}/stats")["gateways"] for name, each in clusters.items()}
    problems = bench.problems_of(runs)
    rows = rows_of(runs, kinds)
    print(table(rows))
    bench.write_record("extras.json", {"valid": not problems, "problems": problems, "rows": rows, "runs": runs,
                                       "identity": {name: each[0].get("identity") for name, each in stats.items()},
                                       "accessLog": {name: each[0].get("accessLog") for name, each in stats.items()}})
    for problem in problems:
        print(f"extras: FAILED: {problem}")
    return 1 if problems else 0


def wait_in_line(port, key):
    """Joins so many people that the last of each concert wait all the while; gives those as wrk.lua reads them."""
    seconds = 5 * (bench.ROUNDS * bench.SECONDS_PER_ROUND + WARM_UP_SECONDS) + 60  # at one admission each
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    lines = []
    for concert in range(1, bench.CONCERTS + 1):
        for number in range(seconds + bench.POLLED_PER_CONCERT):
            user = bench.FIRST_USER + concert * bench.USERS_PER_RUN + number
            headers = {"Content-Type": "application/json"}
            own = login(key, user) if key else None
            if own:
                headers["Authorization"] = f"Bearer {own}"
            connection.request("POST", "/api/v1/waiting", json.dumps({"concertId": concert, "userId": user}), headers)
            answer = connection.getresponse()
            body = json.loads(answer.read())
            if answer.status != 200:
                raise servers.ServerError(f"a join was answered {answer.status}: {body}")
            if number >= seconds:
                lines.append(" ".join(filter(None, [str(concert), body["tokenId"], own])))
    connection.close()
    return bench.mixed(lines, bench.POLLED_PER_CONCERT)


def text(data):
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def login(key, user):
    """A JSON Web Token for an hour."""
    claims = {"sub": str(user), "exp": int(time.time()) + 3600}
    signed = ".".join(text(json.dumps(part).encode()) for part in ({"alg": "HS256", "typ": "JWT", "kid": "1"}, claims))
    return f"{signed}.{text(hmac.new(key, signed.encode(), hashlib.sha256).digest())}"


def rows_of(runs, kinds):
    plain = {run["round"]: run["cpuMicroseconds"] for run in runs if run["server"] == "plain"}
    rows = []
    for name in kinds:
        mine = [run for run in runs if run["server"] == name]
        rows.append({
            "name": name,
            "cpuMicroseconds": statistics.median(run["cpuMicroseconds"] for run in mine),
            "moreMicroseconds": statistics.median(run["cpuMicroseconds"] - plain[run["round"]] for run in mine),
            "perSecond": statistics.median(run["perSecond"] for run in mine),
            "p99Milliseconds": statistics.median(run["p99"] for run in mine) / 1000,
        })
    return rows


def table(rows):
    lines = ["", f"CPU of a poll over all processes, medians of {bench.ROUNDS} rounds", ""]
    lines.append(f"  {'':<18}{'us':>8}{'more us':>10}{'a second':>11}{'p99 ms':>9}")
    for row in rows:
        lines.append(f"  {row['name']:<18}{row['cpuMicroseconds']:>8.2f}{row['moreMicroseconds']:>+10.2f}"
                     f"{row['perSecond']:>11.0f}{row['p99Milliseconds']:>9.1f}")
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    servers.run(main, "extras")
