"""An HTTP proxy in front of an emulator that makes every call take a fixed time longer, and remembers every call.

    python3 proxy.py UPSTREAM_PORT DELAY_MS      prints its own port on 127.0.0.1, serves until it is terminated

`GET /__calls` answers with the calls since the last time it was asked, as JSON: when each came and went (seconds of the
monotonic clock), how long the emulator itself took, and what was called. Connections to clients are kept alive, as AWS
keeps them.
"""
import asyncio
import json
import sys
import time


class Proxy:
    def __init__(self, upstream, delay):
        self.upstream, self.delay, self.calls = upstream, delay, []

    async def client(self, reader, writer):
        try:
            while (head := await read_head(reader)) is not None:
                await self.exchange(head, reader, writer)
                if head.get("connection", "").lower() == "close":
                    break
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    async def exchange(self, head, reader, writer):
        method, target, _ = head.first.split(" ", 2)
        if target == "/__calls":
            body = json.dumps(self.calls).encode()
            self.calls = []
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
            return await writer.drain()
        if head.get("expect").lower() == "100-continue":
            writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
            await writer.drain()
        body = await read_body(head, reader)
        came = time.monotonic()
        await asyncio.sleep(self.delay)
        asked = time.monotonic()
        reply, answer = await self.forward(method, head, body)
        answered = time.monotonic()
        writer.write(reply.text(["content-length: %d" % reply.length(answer)]) + (b"" if method == "HEAD" else answer))
        await writer.drain()
        what = head.get("x-amz-target") or f"{method} {target}"
        self.calls.append({"came": came, "went": time.monotonic(), "emulator": answered - asked, "what": what})

    async def forward(self, method, head, body):
        reader, writer = await asyncio.open_connection("127.0.0.1", self.upstream)
        try:
            writer.write(head.text(["connection: close", "content-length: %d" % len(body)]) + body)
            await writer.drain()
            reply = await read_head(reader)
            if reply is None:
                raise ConnectionError("the emulator hung up")
            silent = method == "HEAD" or reply.first.split(" ")[1] in ("204", "304")
            return reply, b"" if silent else await read_body(reply, reader, to_end=True)
        finally:
            writer.close()


class Head:
    """First line and header lines. What frames the body is dropped: each side gets its own."""

    FRAMING = ("content-length", "transfer-encoding", "connection", "keep-alive", "expect")

    def __init__(self, first, lines):
        self.first, self.lines = first, lines

    def get(self, name, default=""):
        for line in self.lines:
            key, _, value = line.partition(":")
            if key.strip().lower() == name:
                return value.strip()
        return default

    def text(self, framing):
        kept = [line for line in self.lines if line.partition(":")[0].strip().lower() not in self.FRAMING]
        return ("\r\n".join([self.first.replace("HTTP/1.0", "HTTP/1.1"), *kept, *framing]) + "\r\n\r\n").encode("latin-1")

    def length(self, body):
        """HEAD says how long the body would have been."""
        return len(body) or int(self.get("content-length", "0"))


async def read_head(reader):
    try:
        raw = await reader.readuntil(b"\r\n\r\n")
    except asyncio.IncompleteReadError:
        return None
    first, *lines = raw.decode("latin-1")[:-4].split("\r\n")
    return Head(first, lines)


async def read_body(head, reader, to_end=False):
    if head.get("transfer-encoding").lower() == "chunked":
        body = b""
        while size := int((await reader.readline()).split(b";")[0], 16):
            body += await reader.readexactly(size)
            await reader.readline()
        while (await reader.readline()).strip():
            pass
        return body
    if head.get("content-length"):
        return await reader.readexactly(int(head.get("content-length")))
    return await reader.read() if to_end else b""


async def main():
    proxy = Proxy(int(sys.argv[1]), float(sys.argv[2]) / 1000)
    server = await asyncio.start_server(proxy.client, "127.0.0.1", 0, limit=2**20, backlog=512)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main())
