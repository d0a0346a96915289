#!/usr/bin/env python3
"""A burst: JOINS people (50,000) join one concert at once, over CONNECTIONS (200) connections, each with many requests
under way (pipelined). Checks, by the answers alone:

  * every place 1..JOINS is given to exactly one person;
  * on each connection, places grow in the order of the answers;
  * for SECONDS (20) after it, the line admits ADMISSIONS_PER_SECOND (50) within 5 %, seen by the last person's polls.

It starts a cluster of its own (SHARDS, GATEWAYS), or takes the one that runs already: PORT=8080 SELF=0. There the
concert must not have been joined before; CONCERT (1) chooses another. Exit code 0 when all of it held.
"""

import asyncio
import contextlib
import http.client
import json
import os
import time

import servers

JOINS = int(os.environ.get("JOINS") or 50_000)
CONNECTIONS = int(os.environ.get("CONNECTIONS") or 200)
CONCERT = int(os.environ.get("CONCERT") or 1)
SECONDS = int(os.environ.get("SECONDS") or 20)
ADMISSIONS_PER_SECOND = int(os.environ.get("ADMISSIONS_PER_SECOND") or 50)
TOLERANCE = 0.05
# What is checked is the line, with everybody in it: nobody is told to come later, though all come at once.
FLAGS = ["--set", f"journal.kind={os.environ.get('JOURNAL') or 'memory'}", "--set", "gateway.overloadDelayMilliseconds=0"]
SETTLE_SECONDS = 2  # until the burst is over for the server too, and what the bucket saved up is spent
UNDER_WAY_MAX = 64  # requests of one connection that wait for their answers; more would only fill socket buffers


def main():
    servers.raise_descriptor_limit()
    servers.stop_on_signals()
    with target() as (port, operator_url):
        start = time.monotonic()
        answers = join_all(port, CONCERT, first_user(), JOINS, CONNECTIONS)
        took = time.monotonic() - start
        print(f"burst: {JOINS} joins over {CONNECTIONS} connections in {took:.1f} s, {JOINS / took:.0f} a second")
        problems = check_places(answers) + check_admissions(port, operator_url, answers)
    for problem in problems:
        print(f"burst: FAILED: {problem}")
    if not problems:
        print("burst: passed")
    return 1 if problems else 0


@contextlib.contextmanager
def target():
    """Port for users and URL for operators."""
    if os.environ.get("SELF", "1") == "0":
        port, operator_port = os.environ.get("PORT") or "8080", os.environ.get("OPERATOR_PORT") or "8081"
        yield int(port), f"http://127.0.0.1:{operator_port}"
        return
    with servers.Cluster(os.environ.get("SHARDS") or "4", os.environ.get("GATEWAYS") or "1", FLAGS) as cluster:
        yield cluster.port, cluster.operator_url


def first_user():
    """Users nobody else has: 2^22 of them for each second since 2025, from 2^52 up, above those of the k6 scenarios."""
    return 2**52 + (int(time.time()) - 1_735_689_600) * 2**22


def join_all(port, concert, first, count, connections):
    """Joins users first ..< first + count; answers in the order of users.

    User i goes over connection i % connections, so each connection's answers are answers[c::connections], in order.
    Raises ServerError at the first answer that is not 200.
    """
    return asyncio.run(_join_all(port, concert, first, count, connections))


async def _join_all(port, concert, first, count, connections):
    answers = [None] * count

    async def one_connection(index):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        under_way = asyncio.Semaphore(UNDER_WAY_MAX)
        mine = range(index, count, connections)

        async def send():
            for at in mine:
                await under_way.acquire()
                body = b'{"concertId":%d,"userId":%d}' % (concert, first + at)
                writer.write(
                    b"POST /api/v1/waiting HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (len(body), body)
                )
                await writer.drain()

        sending = asyncio.create_task(send())
        try:
            for at in mine:
                status, answer = await read_answer(reader)
                if status != 200:
                    raise servers.ServerError(f"a join was answered {status}: {answer}")
                answers[at] = answer
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


def check_places(answers):
    problems = []
    places = [answer.get("place") for answer in answers]
    if not all(isinstance(place, int) for place in places):
        return [f"an answer has no `place`: {next(each for each in answers if not isinstance(each.get('place'), int))}"]
    distinct = set(places)
    if distinct != set(range(1, len(places) + 1)):
        problems.append(f"places are not 1..{len(places)} once each: {len(distinct)} different ones, "
                        f"{min(distinct)}..{max(distinct)}; was the concert joined before?")
    for index in range(CONNECTIONS):
        mine = places[index::CONNECTIONS]
        if any(later <= earlier for earlier, later in zip(mine, mine[1:])):
            problems.append(f"places fall on connection {index}")
    if not problems:
        print(f"burst: places 1..{len(places)} given once each, growing on each of {CONNECTIONS} connections")
    return problems


def check_admissions(port, operator_url, answers):
    """How far the last person moved up in SECONDS is how many were admitted: nobody leaves this line."""
    last = max(answers, key=lambda answer: answer["place"])
    time.sleep(SETTLE_SECONDS)
    counted_before = admitted_by_stats(operator_url)
    start, before = time.monotonic(), place_now(port, last["tokenId"])
    time.sleep(SECONDS)
    after, end = place_now(port, last["tokenId"]), time.monotonic()
    counted_after = admitted_by_stats(operator_url)

    rate = (before - after) / (end - start)
    print(f"burst: {before - after} admitted in {end - start:.2f} s: {rate:.2f} a second")
    if counted_before is not None and counted_after is not None:
        print(f"burst: the operators' port counted {counted_after - counted_before}")
    if abs(rate - ADMISSIONS_PER_SECOND) > TOLERANCE * ADMISSIONS_PER_SECOND:
        return [f"{rate:.2f} admissions a second, not {ADMISSIONS_PER_SECOND} within {TOLERANCE:.0%}"]
    return []


def place_now(port, token):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", f"/api/v1/waiting?concertId={CONCERT}", headers={"X-Concert-Token": token})
    answer = connection.getresponse()
    body = json.loads(answer.read())
    connection.close()
    if answer.status != 200:
        raise servers.ServerError(f"a poll was answered {answer.status}: {body}")
    return body["remainingWaitingOrder"]


def admitted_by_stats(operator_url):
    """How many the whole cluster has admitted, by /stats: the sum over its shards; None where it doesn't say."""
    try:
        shards = servers.get_json(f"{operator_url}/stats")["shards"]
        return sum(shard["admitted"] for shard in shards)
    except (OSError, ValueError, KeyError, TypeError):
        return None


if __name__ == "__main__":
    servers.run(main, "burst")
