"""The library of the scripts in this folder: settings from the environment, measured runs of wrk, lines of waiting people, and
the results, which go to the terminal, to bench/NAME.json, and to a part of docs/benchmarks.md with its pictures.

Speed on a shared machine changes from minute to minute; CPU beside a known server measured in the same minutes does not. So
scripts that compare measure all servers one after another in each round, and the figure is the median of the rounds. CPU is
user and system time from /proc/PID/stat of every process of a server with all its threads, from just before wrk starts to
just after it ends.

**The page.** The text of docs/benchmarks.md is written by hand. Each script owns what stands between its two markers,
`<!-- NAME -->` and `<!-- /NAME -->`, and writes it after a valid run with default settings. PAGE=1 in the environment writes
it after any run, and PAGE=0 never.

From the environment, for all scripts that use them: ROUNDS, SECONDS_PER_ROUND, CONNECTIONS (64), SHARDS (4), GATEWAYS (1),
DISK (/var/tmp), a folder on the disk that is meant, FLAGS for `usher cluster`, and BENCHMARKS and USHER, the binaries.
"""

import asyncio
import http.client
import json
import os
import pathlib
import platform
import subprocess
import sys
import time

import servers

OUT = servers.ROOT / "bench"
PAGE = servers.ROOT / "docs" / "benchmarks.md"
IMAGES = PAGE.parent / "images"
changed = []  # settings that differ from their defaults, in order


def setting(name, default):
    """A setting from the environment, of the type of its default."""
    text = os.environ.get(name) or ""
    value = type(default)(text) if text else default
    if value != default:
        changed.append(f"{name}={text}")
    return value


CONNECTIONS = setting("CONNECTIONS", 64)
GATEWAYS = setting("GATEWAYS", "1")
DISK = os.environ.get("DISK") or "/var/tmp"
FLAGS = setting("FLAGS", "").split()
BENCHMARKS = pathlib.Path(os.environ.get("BENCHMARKS") or servers.ROOT / ".build/release/benchmarks")

CONCERTS = 8  # of the default catalogue; below 10, so that every join has the same length
WRK_THREADS = 1  # its share of two cores
POLLED_PER_CONCERT = 128
ADMISSIONS_PER_SECOND = 50  # of each concert, by default
FIRST_USER = 10**14  # 15 digits, so that every join has the same length; far from other ids
USERS_PER_RUN = 10**10  # more than one run of wrk can use up
UNDER_WAY_MAX = 64  # pipelined joins of one connection
SERVER_CORE, LOAD_CORE = 0, 1


def run(main, name):
    """Runs a script's `main` and ends with its exit code; a server's trouble is told under `name`."""
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    try:
        sys.exit(main())
    except (servers.ServerError, OSError) as problem:
        sys.exit(f"{name}: {problem}")
    except KeyboardInterrupt:
        sys.exit(130)


def say(text):
    print(f"bench: {text}", file=sys.stderr, flush=True)


def benchmarks(*words, environment=None, prefix=()):
    """Runs the program `benchmarks`; the lines of JSON that it prints."""
    if not BENCHMARKS.exists():
        raise servers.ServerError(f"no {BENCHMARKS}; `swift build -c release --product benchmarks` makes it")
    command = [str(word) for word in (*prefix, BENCHMARKS, *words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=os.environ | (environment or {}),
                          preexec_fn=servers.end_with_parent)
    if done.returncode != 0:
        raise servers.ServerError(f"{' '.join(command)} ended with {done.returncode}: {done.stderr[-2000:]}")
    return [json.loads(line) for line in done.stdout.splitlines() if line.startswith("{")]


# Load


def measure(server, what, seconds, keeps_connections=True):
    """One run of wrk: its own summary, and the CPU that the server's processes used meanwhile."""
    pids = server.pids()
    before = servers.cpu_times(pids)
    found = load(server, what, seconds, keeps_connections)
    user, system = (after - earlier for after, earlier in zip(servers.cpu_times(pids), before))
    found["userMicroseconds"] = user * 1e6 / found["requests"]
    found["systemMicroseconds"] = system * 1e6 / found["requests"]
    found["cpuMicroseconds"] = found["userMicroseconds"] + found["systemMicroseconds"]
    return found


def load(server, what, seconds, keeps_connections=True):
    """One run of wrk, and its own summary."""
    environment = os.environ | {"CONNECTION": "keep" if keeps_connections else "close"}
    output = subprocess.run(wrk(server, what, seconds), env=environment, capture_output=True, text=True, check=False)
    return summary_of(output.stdout + output.stderr, output.returncode)


def wrk(server, what, seconds):
    command = [servers.program("wrk", "bench"), "-t", WRK_THREADS, "-c", CONNECTIONS, "-d", f"{seconds}s", "--latency"]
    command += ["--timeout", "2s", "-s", servers.HERE / "wrk.lua", server.url, "--", WRK_THREADS, *what]
    return [str(word) for word in command]


def summary_of(output, code):
    """What wrk.lua says at the end of a run."""
    summary = [line for line in output.splitlines() if line.startswith("BENCH ")]
    if code != 0 or not summary:
        raise servers.ServerError(f"wrk ended with {code}:\n{output}")
    found = json.loads(summary[0].removeprefix("BENCH "))
    if found["requests"] == 0:
        raise servers.ServerError(f"no request was answered:\n{output}")
    found["perSecond"] = found["requests"] * 1e6 / found["microseconds"]
    return found


def failures_of(found, where):
    """What makes a run of wrk worthless, in words."""
    if found["notOK"] or found["broken"] or found["timeouts"]:
        return [f"{where}: {found['notOK']} answers were not 200, {found['broken']} connections broke, "
                f"{found['timeouts']} timed out"]
    return []


def k6(cluster, users):
    """One run of k6's seed scenario against a cluster; the metrics of its report, as a function of name and key. Its
    thresholds are not looked at: they are for a cluster that has no other load."""
    result = servers.ROOT / "k6" / "results" / f"seed-{users}.json"
    result.unlink(missing_ok=True)
    environment = os.environ | {
        "SCENARIO": "seed", "SELF": "", "USERS": str(users), "PORT": str(cluster.port),
        "OPERATOR_PORT": str(cluster.operator_port), "COMPARE": "", "ROUNDS": "1",
    }
    done = subprocess.run([servers.ROOT / "k6" / "run"], env=environment, check=False, capture_output=True, text=True)
    if not result.exists():
        raise servers.ServerError(f"k6 left no report:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
    metrics = json.loads(result.read_text())["metrics"]
    return lambda metric, key: metrics.get(metric, {"values": {}})["values"].get(key, 0)


# People


def join_all(port, concert, first, count, connections=8, headers=lambda _: b""):
    """Joins users first ..< first + count, pipelined; their answers in the order of users. `headers` gives more header
    fields of a user. Raises ServerError at the first answer that is not 200."""
    return asyncio.run(_join_all(port, concert, first, count, connections, headers))


async def _join_all(port, concert, first, count, connections, headers):
    answers = [None] * count

    async def one_connection(index):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        under_way = asyncio.Semaphore(UNDER_WAY_MAX)
        mine = range(index, count, connections)

        async def send():
            for at in mine:
                await under_way.acquire()
                body = b'{"concertId":%d,"userId":%d}' % (concert, first + at)
                writer.write(b"POST /api/v1/waiting HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                             b"%bContent-Length: %d\r\n\r\n%b" % (headers(first + at), len(body), body))
                await writer.drain()

        sending = asyncio.create_task(send())
        try:
            for at in mine:
                status, answers[at] = await read_answer(reader)
                if status != 200:
                    raise servers.ServerError(f"a join was answered {status}: {answers[at]}")
                under_way.release()
        finally:
            sending.cancel()
            writer.close()

    await asyncio.gather(*(one_connection(index) for index in range(connections)))
    return answers


async def read_answer(reader):
    """One HTTP answer with a Content-Length: its status and its JSON body."""
    try:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        length = next(int(line[15:]) for line in head if line.lower().startswith("content-length:"))
        return int(head[0].split()[1]), json.loads(await reader.readexactly(length))
    except (asyncio.IncompleteReadError, ConnectionError, StopIteration) as problem:
        raise servers.ServerError(f"a connection ended, or its answer has no length: {problem!r}") from None


def fill_lines(port, seconds, rate=ADMISSIONS_PER_SECOND, headers=lambda _: b""):
    """Makes every line so long that its last people wait for so many seconds; those people as wrk.lua reads them, a concert,
    a token and a login a line."""
    length = seconds * rate + POLLED_PER_CONCERT
    lines = []
    for concert in range(1, CONCERTS + 1):
        first = FIRST_USER - concert * USERS_PER_RUN
        answers = join_all(port, concert, first, length, headers=headers)
        last = sorted(range(length), key=lambda at: answers[at]["place"])[-POLLED_PER_CONCERT:]
        lines += [f"{concert} {answers[at]['tokenId']} {headers(first + at).decode().partition('Bearer ')[2].strip()}".strip()
                  for at in last]
    return mixed(lines, POLLED_PER_CONCERT)


def mixed(lines, each):
    """Lines that are ordered by concert, `each` of one, so that neighbours belong to different concerts as in a real crowd."""
    return [lines[at] for start in range(each) for at in range(start, len(lines), each)]


def poll(port, concert, token):
    """The status and body of one poll."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("GET", f"/api/v1/waiting?concertId={concert}", headers={"X-Concert-Token": token})
        answer = connection.getresponse()
        return answer.status, json.loads(answer.read())
    finally:
        connection.close()


# Results


class Table:
    """Rows of words under titles, for the terminal and for the page."""

    def __init__(self, titles, rows):
        self.titles, self.rows = tuple(titles), [tuple(str(word) for word in row) for row in rows]

    def text(self):
        rows = [self.titles, *self.rows]
        widths = [max(len(row[column]) for row in rows) for column in range(len(self.titles))]

        def padded(row):
            words = [row[0].ljust(widths[0]), *(word.rjust(width) for word, width in zip(row[1:], widths[1:]))]
            return "  " + "  ".join(words).rstrip()

        return "\n".join(padded(row) for row in rows) + "\n"

    def markdown(self):
        rows = [self.titles, ("---",) * len(self.titles), *self.rows]
        return "\n".join("| " + " | ".join(row) + " |" for row in rows) + "\n"


def goals(*rows):
    """A table of goals: figure, the sense ("at most", "at least"), the goal, what was seen, and how a number is written."""
    def words(figure, sense, goal, seen, form="{:,.2f}"):
        is_met = seen <= goal if sense == "at most" else seen >= goal
        return figure, f"{sense} {form.format(goal)}", form.format(seen), "yes" if is_met else "**no**"

    return Table(("figure", "goal", "seen", "met"), [words(*row) for row in rows])


def finish(name, record, parts, problems=(), pictures=(), is_whole=True):
    """Tells the results, and gives the exit code: 1 where there are problems.

    `parts` are blocks (tables, or paragraphs as text) by the name of their part of the page; `pictures` are file names and
    pictures (svg.Picture), which the page's text embeds.
    """
    for blocks in parts.values():
        print("\n" + "\n".join(block.text() if isinstance(block, Table) else block + "\n" for block in blocks))
    OUT.mkdir(exist_ok=True)
    file = OUT / f"{name}.json"
    file.write_text(json.dumps({"at": now(), "machine": machine(), "changed": changed, "problems": list(problems), **record},
                               indent=1) + "\n")
    for picture_name, picture in pictures:
        picture.write(OUT / picture_name)
    say(f"the numbers are in {file.relative_to(servers.ROOT)}")
    page = PAGE.read_text()
    problems = [*problems, *(f"{PAGE.name} has no place for {name}" for name in parts if f"<!-- {name} -->\n" not in page)]
    for problem in problems:
        say(f"FAILED: {problem}")
    wanted = os.environ.get("PAGE") or ("1" if is_whole and not changed and not problems else "0")
    if wanted == "1":
        write_page(parts, pictures)
    return 1 if problems else 0


def write_page(parts, pictures):
    """Puts the blocks between their markers, and the pictures beside the page."""
    page = PAGE.read_text()
    for name, blocks in parts.items():
        start, end = f"<!-- {name} -->\n", f"<!-- /{name} -->\n"
        before, found, rest = page.partition(start)
        _, found_end, after = rest.partition(end)
        if not found or not found_end:
            raise servers.ServerError(f"{PAGE} has no part between {start.strip()} and {end.strip()}")
        words = "\n".join(block.markdown() if isinstance(block, Table) else block + "\n" for block in [*blocks, seen()])
        page = f"{before}{start}{words}{end}{after}"
    PAGE.write_text(page)
    for name, picture in pictures:
        picture.write(IMAGES / name)
    say(f"{PAGE.relative_to(servers.ROOT)} has the results of {', '.join(parts)}")


def seen():
    """When and where, in a line."""
    where = machine()
    settings = f", with {' '.join(changed)}" if changed else ""
    return f"*Seen {now()[:10]} on {where['processor']}, {where['cores']} cores; commit {commit()}{settings}.*"


def now():
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())


def commit():
    command = ["git", "-C", servers.ROOT, "describe", "--always", "--dirty"]
    return subprocess.run(command, capture_output=True, text=True, check=False).stdout.strip() or "unknown"


def machine():
    lines = pathlib.Path("/proc/cpuinfo").read_text().splitlines()
    names = [line.split(":", 1)[1].strip() for line in lines if line.startswith("model name")]
    return {"processor": names[0] if names else platform.machine(), "cores": os.cpu_count(), "system": platform.platform()}


def processes(gateways, shards):
    """In words."""
    counts = (("gateway", int(gateways)), ("shard", int(shards)))
    return ", ".join(f"{count} {name}{'' if count == 1 else 's'}" for name, count in counts)


def disk():
    """The file system of DISK, and how many times a second it flushes 4 KiB, one after the other."""
    found = subprocess.run(["stat", "--file-system", "--format=%T", DISK], capture_output=True, text=True, check=False)
    if found.returncode != 0:
        raise servers.ServerError(f"{DISK} can't be used: {found.stderr.strip()}")
    with servers.scratch_folder("flushes", DISK) as folder, (folder / "file").open("wb", buffering=0) as file:
        begun = time.monotonic()
        for _ in range(1_000):
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
        return {"fileSystem": found.stdout.strip(), "flushesPerSecond": 1_000 / (time.monotonic() - begun)}
