"""RET, ENVID, NOTIFY and ORCPT (RFC 3461), and AUTH of MAIL (RFC 4954 §5), which aiosmtpd 1.4.6 does not
know and refuses with 555."""

import re
from typing import Any, Final

from aiosmtpd.smtp import SMTP

from services.mss.domain import envelope
from services.mss.domain.envelope import ParameterError, Recipient, Returned

SIZES: Final = {"MAIL": 512 + 8 + 108 + 500, "RCPT": 512 + 28 + 500}
"""Of the command lines, with what the extensions add (RFC 3461 §4, RFC 4954 §5)."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
USUAL: Final = re.compile(rf"\s*<({_ATOM}(?:\.{_ATOM})*@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)>([^(]*)")
"""An address without quotes, comments or routes, and what follows it."""

_NAMES: Final = frozenset({"RET", "ENVID", "NOTIFY", "ORCPT", "AUTH"})


class DeliveryParameters(SMTP):
    """aiosmtpd upper-cases the parameters of MAIL and RCPT and judges them: these are taken out
    before, with their case. `parameters` are those of the command at hand."""

    parameters: tuple[tuple[str, str], ...] = ()

    def _getaddr(self, arg: str) -> tuple[str | None, str | None]:
        """aiosmtpd takes an address that no bracket ends, and control characters in one."""
        if not arg.isprintable() or (arg.lstrip().startswith("<") and ">" not in arg):
            return None, None
        usual = USUAL.fullmatch(arg)  # a twentieth of what the parser of the email package costs
        address, rest = usual.groups() if usual else super()._getaddr(arg)
        taken, left = [], []
        for word in (rest or "").split():
            name, _, value = word.partition("=")
            if name.upper() in _NAMES:
                taken.append((name.upper(), value))
            else:
                left.append(word)
        self.parameters = tuple(taken)
        return address, None if rest is None else " ".join(left)


def read_mail_parameters(server: Any) -> tuple[Returned, str]:
    """RET and ENVID. Raises ParameterError. AUTH, by which a client names who submitted to it, is taken
    and not believed."""
    given = _given(server, "MAIL", ("RET", "ENVID", "AUTH"))
    returned: Returned = envelope.read_returned(given["RET"]) if "RET" in given else ""
    if "ENVID" not in given:
        return returned, ""
    return returned, envelope.decode_xtext(given["ENVID"], envelope.MAX_ENVELOPE_ID)


def read_recipient(server: Any, address: str) -> Recipient:
    """The recipient with its NOTIFY and ORCPT. Raises ParameterError."""
    given = _given(server, "RCPT", ("NOTIFY", "ORCPT"))
    return Recipient(
        address,
        envelope.read_notify(given["NOTIFY"]) if "NOTIFY" in given else None,
        envelope.read_original(given["ORCPT"]) if "ORCPT" in given else "",
    )


def _given(server: Any, command: str, known: tuple[str, ...]) -> dict[str, str]:
    pairs = server.parameters if isinstance(server, DeliveryParameters) else ()
    found = dict(pairs)
    for name in found:
        if name not in known:
            raise ParameterError(f"{name} is no parameter of {command}")
    if len(found) != len(pairs):
        raise ParameterError(f"{command} holds a parameter twice")
    return found
