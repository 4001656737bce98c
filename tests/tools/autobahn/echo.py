"""A WebSocket server that sends every message back, and passes all of Autobahn's cases. Prints its address."""

import asyncio

from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage, CloseConnection, Ping, Request, TextMessage
from wsproto.extensions import PerMessageDeflate
from wsproto.utilities import RemoteProtocolError

CHUNK = 1 << 16


def answers(socket, parts):
    """The bytes that answer what has arrived. `parts` are those of the message that is not whole yet."""
    for event in socket.events():
        if isinstance(event, Request):
            yield socket.send(AcceptConnection(extensions=[PerMessageDeflate()]))
        elif isinstance(event, TextMessage | BytesMessage):
            parts.append(event.data)
            if event.message_finished:
                yield socket.send(type(event)(data=type(event.data)().join(parts)))
                parts.clear()
        elif isinstance(event, CloseConnection | Ping):
            yield socket.send(event.response())


async def echo(reader, writer):
    socket, parts, is_open = WSConnection(ConnectionType.SERVER), [], True
    try:
        while is_open and (data := await reader.read(CHUNK)):
            try:
                socket.receive_data(data)
                for answer in answers(socket, parts):
                    writer.write(answer)
            except RemoteProtocolError as error:
                writer.write(socket.send(error.event_hint))
            is_open = socket.state.name in ("CONNECTING", "OPEN")
            await writer.drain()
    except ConnectionError:
        pass
    writer.close()


async def main():
    server = await asyncio.start_server(echo, "127.0.0.1", 0)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}", flush=True)
    await server.serve_forever()


asyncio.run(main())
