"""A crowd of visitors in a process of its own, started by `parts/besides_.py`.

It says `ready` once all are there, stays until its stdin is closed, and then says what it did as JSON.
"""
import asyncio
import json
import os
import resource
import socket
import sys

ORIGIN = "127.0.0.1"
# The proxy from which sign-ups come, which the newsletter trusts: each of them is from another network.
PROXY = "127.0.0.2"


class Crowd:
    """All visitors, and what they got."""

    def __init__(self, port, picture, style):
        self.port, self.picture, self.style = port, picture, style
        self.pictures = self.sign_ups = self.refused = 0

    async def reader(self):
        """Reads the picture again and again, as fast as it comes."""
        while True:
            try:
                read, write = await asyncio.open_connection(ORIGIN, self.port, limit=1 << 18)
                write.write(f"GET {self.picture} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n".encode())
                got = 0
                while more := await read.read(1 << 18):
                    got += len(more)
                self.pictures += got > 1_000_000
                write.close()
            except OSError:
                await asyncio.sleep(0.2)

    async def silent(self):
        """Connects and says nothing, and comes again when it is sent away."""
        while True:
            try:
                read, write = await asyncio.open_connection(ORIGIN, self.port)
                await read.read(1)
                write.close()
            except OSError:
                pass
            await asyncio.sleep(0.5)

    async def dawdler(self):
        """Asks for much and takes nothing, and comes again some time after it is sent away."""
        loop = asyncio.get_running_loop()
        while True:
            stream = socket.socket()
            stream.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            stream.setblocking(False)
            try:
                await loop.sock_connect(stream, (ORIGIN, self.port))
                await loop.sock_sendall(stream, f"GET {self.style} HTTP/1.1\r\nHost: x\r\n\r\n".encode() * 100)
                await asyncio.sleep(20)
            except OSError:
                await asyncio.sleep(5)
            stream.close()

    async def people(self, per_s):
        """So many people a second who sign up, each from a network of their own."""
        number, asking = 0, set()
        while True:
            task = asyncio.create_task(self.sign_up(number))
            asking.add(task)
            task.add_done_callback(asking.discard)
            number += 1
            await asyncio.sleep(1 / per_s)

    async def sign_up(self, number):
        body = f"email=guest{number}@late.example&list=weekly"
        request = (f"POST /subscribe HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Forwarded-For: {network(number)}\r\n"
                   f"Content-Type: application/x-www-form-urlencoded\r\nContent-Length: {len(body)}\r\n\r\n{body}")
        try:
            read, write = await asyncio.open_connection(ORIGIN, self.port, local_addr=(PROXY, 0))
            write.write(request.encode())
            answer = await asyncio.wait_for(read.read(), 20)
            write.close()
        except (OSError, TimeoutError):
            answer = b""
        if answer.startswith(b"HTTP/1.1 202"):
            self.sign_ups += 1
        else:
            self.refused += 1


def network(number):
    """An address in a network (/24) that no other number has."""
    return f"{20 + number // 65536}.{number // 256 % 256}.{number % 256}.1"


async def main(port, picture, style, readers, dawdlers, silent, per_s):
    crowd = Crowd(port, picture, style)
    visitors = [crowd.silent() for _ in range(silent)] + [crowd.dawdler() for _ in range(dawdlers)]
    visitors += [crowd.reader() for _ in range(readers)] + [crowd.people(per_s)]
    tasks = []
    for number, visitor in enumerate(visitors):
        tasks.append(asyncio.create_task(visitor))
        if number % 50 == 49:
            await asyncio.sleep(0.02)
    print("ready", flush=True)
    await asyncio.get_running_loop().run_in_executor(None, sys.stdin.read)
    done = {"pictures": crowd.pictures, "sign_ups": crowd.sign_ups, "refused": crowd.refused}
    print(json.dumps(done), flush=True)
    # Whoever is still there is not waited for.
    os._exit(0)


if __name__ == "__main__":
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    ours = sys.argv[1:]
    asyncio.run(main(int(ours[0]), ours[1], ours[2], *(int(number) for number in ours[3:])))
