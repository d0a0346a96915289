"""Requests from a grammar, and what a seed makes of them: mostly right, each now and then wrong in the ways that servers
have disagreed about, then, often, changed by a few bytes."""

import random

METHODS = ["GET", "GET", "POST", "POST", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "TRACE", "CONNECT", "BREW", "get"]
TARGETS = ["/", "/a", "/a?b=c", "/api/v1/waiting?concertId=1", "/%61/%2e%2e/b", "//a", "/a;b", "/a b", "/a#b", "*", "a.example:80",
           "http://b.example/p?q", "http://b.example", "https://b:443/", "http://u@b/", "ftp://b/", "", "/\u00e9", "/a\tb", "/?", "?a"]
VERSIONS = ["HTTP/1.1"] * 12 + ["HTTP/1.0"] * 3 + ["HTTP/1.2", "HTTP/2.0", "HTTP/0.9", "HTTP/1.", "http/1.1", "HTTP/1.1 ", "HTTP/01.1", ""]
HOSTS = ["Host: a"] * 8 + ["host:a.example:8080", "Host: [::1]:80", "Host: ", "Host: a, b", "Host: a b", "Host: a/b", "HOST:\ta\t"]
FIELDS = ["Accept: */*", "X:", "X: a", "x-y: \u00e9", "X: a\tb", "X: \x01", "X: a\x00b", "X : a", "X\t: a", "X y: a", ": a", "X", "X: a\r\n b", "X: a\n\tb",
          "X: a\rY: b", "X: a\nY: b", "Connection: close", "Connection: keep-alive", "Connection: keep-alive, close", "Connection: Content-Length",
          "Connection: upgrade\r\nUpgrade: h2c", "Expect: 100-continue", "Expect: x", "Trailer: X", "TE: trailers", "Content-Encoding: gzip",
          "Content-Type: application/json", "Transfer-Encoding2: chunked", "X-Content-Length: 9", "Cookie: a=b; c=d", "X: " + "a" * 300, "\u00e9: a", "X\x0b: a", "X:\x0ba"]
LENGTH_FORMS = ["Content-Length: {n}"] * 12 + [
    "content-length:{n}", "Content-Length: 0{n}", "Content-Length: +{n}", "Content-Length: -{n}", "Content-Length: {n} ", "Content-Length:\t{n}",
    "Content-Length: {n}, {n}", "Content-Length: {n},{m}", "Content-Length: {n}\r\nContent-Length: {n}", "Content-Length: {n}\r\nContent-Length: {m}",
    "Content-Length: 0x{n}", "Content-Length: {n}.0", "Content-Length: {n}_0", "Content-Length: {n}e0", "Content-Length: \"{n}\"", "Content-Length:",
    "Content-Length: {n}\r\n 0", "Content-Length : {n}", "Content_Length: {n}", "Content-Length: {n};", "Content-Length: 18446744073709551616",
    "Content-Length: 18446744073709551{n}", "Content-Length: {n}\x0b", "Content-Length: \u0661", "Content-Length: {n}\x00"]
CODING_FORMS = ["Transfer-Encoding: chunked"] * 12 + [
    "transfer-encoding:chunked", "Transfer-Encoding: CHUNKED", "Transfer-Encoding:\tchunked\t", "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked",
    "Transfer-Encoding: chunked, chunked", "Transfer-Encoding: gzip, chunked", "Transfer-Encoding: chunked, gzip", "Transfer-Encoding: identity",
    "Transfer-Encoding: identity\r\nTransfer-Encoding: chunked", "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity", "Transfer-Encoding:",
    "Transfer-Encoding: xchunked", "Transfer-Encoding: chunked;a=b", "Transfer-Encoding: \"chunked\"", "Transfer-Encoding: chunked,", "Transfer-Encoding: ,chunked",
    "Transfer-Encoding : chunked", "Transfer-Encoding\t: chunked", " Transfer-Encoding: chunked", "X: y\nTransfer-Encoding: chunked", "X: y\rTransfer-Encoding: chunked",
    "Transfer-Encoding:\r\n chunked", "Transfer-Encoding:\x0bchunked", "Transfer-Encoding: chunked\x00", "Transfer_Encoding: chunked", "Transfer-Encoding: chun ked",
    "Transfer-Encoding: ch\u212aunked", "Transfer-Encoding: chunked\u00a0"]
SIZES = ["{x}"] * 12 + ["0{x}", "000000000{x}", "{X}", "0x{x}", "+{x}", "-{x}", " {x}", "{x} ", "{x}\t", "{x};", "{x};a", "{x};a=b", "{x} ;a=\"b;c\"", "{x};a\nb",
                       "{x}\r", "{x};a=\"\r\n\"", "{x}_0", "{x}g", "", "ffffffffffffffff{x}", "10000000000000000{x}", "{x}\x00", "{x};\x00", "{x},a"]
LINE_ENDS = ["\r\n"] * 40 + ["\n", "\r", "\r\r\n", "\n\r", "", "\r\n\r\n", " \r\n"]
SENTINEL = "GET /sentinel HTTP/1.1\r\nHost: sentinel\r\n\r\n"


class Requests:
    """A stream of inputs; the same seed gives the same ones."""

    def __init__(self, seed):
        self.random = random.Random(seed)

    def next(self):
        """The bytes of one connection: one to three requests, and something that must not be taken for their body."""
        picked = self.random.choices([1, 2, 3], [6, 2, 1])[0]
        text = "".join(self.request() for _ in range(picked)) + (SENTINEL if self.chance(0.8) else "")
        data = text.encode("utf-8" if self.chance(0.1) else "latin-1", "replace")
        if self.chance(0.3):
            data = self.change(data)
        return data

    def chance(self, part):
        return self.random.random() < part

    def pick(self, values):
        return self.random.choice(values)

    def request(self):
        """A whole request; each part of it is odd now and then."""
        wild = self.chance(0.25)
        line = [self.pick(METHODS if wild else METHODS[:7]), self.pick(TARGETS if wild else TARGETS[:5]), self.pick(VERSIONS if wild else VERSIONS[:15])]
        start = (self.pick(["\r\n", "\n", "\r\n\r\n", " ", "\r"]) if self.chance(0.04) else "") + " ".join(line)
        if self.chance(0.02):
            start = start.replace(" ", self.pick(["  ", "\t", "\x0b"]), 1)
        fields = [] if self.chance(0.03) else [self.pick(HOSTS if wild else HOSTS[:10])]
        if self.chance(0.03):
            fields.append(self.pick(HOSTS))
        for _ in range(self.pick([0, 0, 1, 1, 2, 3])):
            fields.append(self.pick(FIELDS) if wild and self.chance(0.5) else self.pick(FIELDS[:2]))
        body = self.body(fields, wild)
        self.random.shuffle(fields)
        return "".join(part + self.line_end() for part in [start, *fields]) + self.line_end() + body

    def line_end(self):
        return self.pick(LINE_ENDS) if self.chance(0.03) else "\r\n"

    def body(self, fields, wild):
        """Adds the fields that frame a body, and gives the body."""
        content = self.pick(["", "a", "hello", "0\r\n\r\n", SENTINEL, "{\"concertId\":1}", "x" * self.random.randrange(200)])
        kind = self.random.random()
        if kind < 0.3:
            return content if self.chance(0.05) else ""
        forms = kind < 0.6, kind >= 0.6 or self.chance(0.06)
        if forms[0]:
            wrong = self.pick([-1, 1, 2, 5]) if self.chance(0.06) else 0
            fields.append(self.pick(LENGTH_FORMS if wild else LENGTH_FORMS[:12]).format(n=max(0, len(content) + wrong), m=self.pick([0, 1, 7])))
        if forms[1]:
            fields.append(self.pick(CODING_FORMS if wild else CODING_FORMS[:12]))
            return self.chunks(content, wild)
        return content

    def chunks(self, content, wild):
        text = ""
        while content:
            count = self.random.randrange(1, len(content) + 1)
            wrong = self.pick([-1, 1, 2]) if self.chance(0.02) else 0
            size = self.pick(SIZES if wild and self.chance(0.3) else SIZES[:12])
            number = max(0, count + wrong)
            text += size.format(x=f"{number:x}", X=f"{number:X}") + self.line_end() + content[:count] + self.line_end()
            content = content[count:]
        trailers = "".join(self.pick(FIELDS if wild else FIELDS[:2]) + self.line_end() for _ in range(self.pick([0, 0, 0, 1, 2])))
        return text + self.pick(["0", "0", "0", "0", "00", "0;a=b", "0 "]) + self.line_end() + trailers + self.line_end()

    def change(self, data):
        """One to three changes of bytes."""
        data = bytearray(data)
        for _ in range(self.pick([1, 1, 2, 3])):
            if not data:
                break
            at = self.random.randrange(len(data))
            kind = self.random.randrange(6)
            if kind == 0:
                data[at] = self.random.randrange(256)
            elif kind == 1:
                data[at] = self.pick(b"\r\n \t\0:,;0\x0b\x7f\xff")
            elif kind == 2:
                data[at:at] = self.pick([b"\r\n", b"\n", b"\r", b" ", b"\t", b"\0", b":", b"0", b","])
            elif kind == 3:
                del data[at : at + self.pick([1, 1, 2, 8])]
            elif kind == 4:
                data[at:at] = data[at : at + self.pick([1, 4, 16])]
            else:
                del data[at:]
        return bytes(data)
