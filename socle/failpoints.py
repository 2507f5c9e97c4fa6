"""Places where a test may make a process die, so that crashes are proved and not hoped for.

SOCLE_FAILPOINTS="relay.sent=2" kills the process with SIGKILL the second time that it passes
`relay.sent`. Nothing happens unless the variable is set and sandbox mode is on.
"""

import os
import signal

_remaining: dict[str, int] = {}
for _entry in filter(None, os.environ.get("SOCLE_FAILPOINTS", "").split(",")):
    _name, _, _count = _entry.partition("=")
    _remaining[_name] = int(_count or 1)


def failpoint(name: str) -> None:
    if name not in _remaining or os.environ.get("SOCLE_SANDBOX", "true").lower() == "false":
        return
    _remaining[name] -= 1
    if _remaining[name] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
