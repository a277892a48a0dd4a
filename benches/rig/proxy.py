"""A proxy that puts a distance between a sender and the sink: every byte arrives 10 ms later, each way.

It holds bytes back without bounding how many are under way, so that only the round trip is felt and not a
window. It runs as a process of its own: `python3 -m rig.proxy PORT TO_PORT`.
"""
import asyncio
import pathlib
import subprocess
import sys

from rig.sink import answers, free_port, until

ONE_WAY = 0.010
LIMIT = 1 << 20


class Delay:
    """The proxy before a port, for as long as the `with` lasts."""

    def __init__(self, to_port):
        self.port, self.to_port = free_port(), to_port

    def __enter__(self):
        self.process = subprocess.Popen([sys.executable, "-m", "rig.proxy", str(self.port), str(self.to_port)],
                                        cwd=pathlib.Path(__file__).resolve().parents[1], stdin=subprocess.DEVNULL)
        until(lambda: answers(self.port), 10, "the proxy to listen")
        return self

    def __exit__(self, *_):
        self.process.terminate()
        self.process.wait()


async def carry(reader, writer):
    """Passes bytes on, each piece 10 ms after it came."""
    loop = asyncio.get_running_loop()
    under_way = asyncio.Queue()

    async def deliver():
        while piece := await under_way.get():
            due, data = piece
            if (wait := due - loop.time()) > 0:
                await asyncio.sleep(wait)
            writer.write(data)
            await writer.drain()
        writer.close()

    delivering = asyncio.create_task(deliver())
    try:
        while data := await reader.read(LIMIT):
            under_way.put_nowait((loop.time() + ONE_WAY, data))
    except ConnectionError:
        pass
    under_way.put_nowait(None)
    await asyncio.gather(delivering, return_exceptions=True)


async def serve(port, to_port):
    async def meet(reader, writer):
        try:
            there_reader, there_writer = await asyncio.open_connection("127.0.0.1", to_port, limit=LIMIT)
        except OSError:
            writer.close()
            return
        await asyncio.gather(carry(reader, there_writer), carry(there_reader, writer))

    server = await asyncio.start_server(meet, "127.0.0.1", port, limit=LIMIT, backlog=1024)
    async with server:
        await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(serve(*map(int, sys.argv[1:])))
