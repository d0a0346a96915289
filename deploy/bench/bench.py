"""What the benchmarks have in common: a measured run of wrk, with the CPU that the server's processes used meanwhile;
lines that are long enough; and the record that each leaves in the folder bench. table.py is what `make bench` runs.

A server's speed on a shared machine changes from minute to minute; what it costs, beside a known server measured in the
same minutes, does not. So those who compare measure all servers one after another in each round, and their figure is the
median of the rounds. CPU is user and system time from /proc/PID/stat, of every process of a server with all its
threads, from just before wrk starts to just after it ends.

From the environment: ROUNDS (3), SECONDS_PER_ROUND (5), CONNECTIONS (64), SHARDS (4), GATEWAYS (1), CONCERTS (8).
"""

import http.client
import json
import os
import pathlib
import platform
import subprocess
import time

import burst
import servers

ROUNDS = int(os.environ.get("ROUNDS") or 3)
SECONDS_PER_ROUND = int(os.environ.get("SECONDS_PER_ROUND") or 5)
CONNECTIONS = int(os.environ.get("CONNECTIONS") or 64)
SHARDS = os.environ.get("SHARDS") or "4"
GATEWAYS = os.environ.get("GATEWAYS") or "1"
CONCERTS = int(os.environ.get("CONCERTS") or 8)  # below 10: one digit, so that every join is as long

WRK_THREADS = 1  # its share of two cores; Lua is quick enough
POLLED_PER_CONCERT = 128
ADMISSIONS_PER_SECOND = 50  # of each concert, by default
FIRST_USER = 10**14  # 15 digits, so that every join is as long; far from anybody else's ids
USERS_PER_RUN = 10**10  # more than one wrk run can use up


def fill_lines(port, seconds):
    """Makes every line so long that its last people wait for so long; gives those, as wrk.lua reads them: a concert and a
    token a line."""
    length = seconds * ADMISSIONS_PER_SECOND + POLLED_PER_CONCERT
    lines = []
    for concert in range(1, CONCERTS + 1):
        first = FIRST_USER - concert * USERS_PER_RUN
        answers = burst.join_all(port, concert, first, length, connections=8)
        last = sorted(range(length), key=lambda at: answers[at]["place"])[-POLLED_PER_CONCERT:]
        lines += [f"{concert} {answers[at]['tokenId']}" for at in last]
    return mixed(lines, POLLED_PER_CONCERT)


def mixed(lines, each):
    """Of lines that are ordered by concert, `each` of one: so that neighbours belong to different concerts, as requests of
    a real crowd do."""
    return [lines[at] for start in range(each) for at in range(start, len(lines), each)]


def measure(server, what, seconds, keeps_connections=True):
    """One wrk run: its own summary, and the CPU that the server's processes used meanwhile."""
    pids = server.pids()
    environment = os.environ | {"CONNECTION": "keep" if keeps_connections else "close"}
    before = servers.cpu_times(pids)
    output = subprocess.run(wrk(server, what, seconds), env=environment, capture_output=True, text=True, check=False)
    user, system = (after - earlier for after, earlier in zip(servers.cpu_times(pids), before))
    run = summary_of(output.stdout + output.stderr, output.returncode)
    run["cpuSeconds"] = user + system
    run["cpuMicroseconds"] = (user + system) * 1e6 / run["requests"]
    run["userMicroseconds"] = user * 1e6 / run["requests"]
    run["systemMicroseconds"] = system * 1e6 / run["requests"]
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


def processes(gateways, shards):
    """In words."""
    counts = (("gateway", int(gateways)), ("shard", int(shards)))
    return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts)


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


def write_record(name, record):
    """Leaves the numbers of a benchmark in the folder bench, with when and where they were measured; where that is."""
    folder = servers.ROOT / "bench"
    folder.mkdir(exist_ok=True)
    path = folder / name
    where = {
        "at": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "machine": {"system": platform.platform(), "cores": os.cpu_count(), "processor": processor()},
    }
    path.write_text(json.dumps(where | record, indent=2) + "\n")
    print(f"bench: all numbers are in {path.relative_to(servers.ROOT)}")
    return path


def processor():
    for line in pathlib.Path("/proc/cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.split(":", 1)[1].strip()
    return platform.machine()

