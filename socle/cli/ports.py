"""The ports that `socle up` listens on: which are taken, and which settings move them."""

import errno
import socket
from collections import Counter
from collections.abc import Mapping

from socle.settings import MissingSettingError, Settings


def ports_of(owner: str, settings: Settings) -> dict[str, int]:
    """What a process listens on: setting → port. 0 means any free one, and is left out."""
    return {
        f"SOCLE_{name.upper()}": port
        for name in type(settings).model_fields
        if name.startswith(f"{owner}_") and name.endswith("_port")
        if (port := getattr(settings, name))
    }


def require_free(host: str, ports: Mapping[str, int]) -> None:
    """Raises MissingSettingError, which names every port that is taken or wanted twice."""
    wanted = Counter(ports.values())
    taken = {
        variable: port
        for variable, port in ports.items()
        if wanted[port] > 1 or _is_taken(host, port)
    }
    if not taken:
        return
    lines = [f"  {port:<5}  {variable}" for variable, port in taken.items()]
    example = " ".join(f"{variable}={_other(port)}" for variable, port in taken.items())
    raise MissingSettingError(
        "ports are taken, by another program or by a Socle that already runs:\n"
        + "\n".join(lines)
        + f"\nStop what listens there (`ss -ltnp` names it), or choose others: {example} make run"
    )


def _is_taken(host: str, port: int) -> bool:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family) as probe:
        # As the servers do: a connection that lingers after a restart does not count.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            # Any other refusal (a privileged port, a foreign host) is the server's to tell.
            return error.errno == errno.EADDRINUSE
    return False


def _other(port: int) -> int:
    return port + 10_000 if port + 10_000 < 65_536 else port - 10_000
