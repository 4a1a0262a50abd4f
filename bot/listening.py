"""The service's port, taken before anything else is touched."""

import errno
import socket

from bot.settings import Settings
from storage.errors import Refused


def bind_port(settings: Settings) -> list[socket.socket]:
    """Listening sockets, one for each address of the host; whoever connects waits to be served.

    Raises :class:`storage.errors.Refused` when the port cannot be had.
    """
    host, port = settings.http_host, settings.http_port
    taken: list[socket.socket] = []
    try:
        for family, _, _, _, address in socket.getaddrinfo(
            host or None, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        ):
            try:
                taken.append(socket.create_server(address[:2], family=family, backlog=128))
            except OSError as problem:
                # A name may stand for an IPv6 address as well, on a machine that has no IPv6.
                if problem.errno not in (errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT):
                    raise
                missing = problem
        if not taken:
            raise missing
    except OSError as problem:
        for listening in taken:
            listening.close()
        raise Refused(
            f"port {port} on {host} cannot be used ({problem.strerror or 'in use'}): "
            "stop the other program, or set KINROOM_HTTP_PORT"
        ) from problem
    return taken
