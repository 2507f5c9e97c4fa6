"""The codes that a sandbox can be told to answer, with their status code (RFC 3463) and words.

The codes are those of the table SMTPERRORCODE (spec: mss.md §1.8); the words are ours.
"""

from typing import Final

NO_CONNECTION: Final = frozenset({101, 111})
"""What a client notes when it cannot open a connection: no server says them, it hangs up."""

_REPLIES: Final = {
    251: ("2.1.5", "User not local; will forward"),
    252: ("2.1.5", "Cannot verify the user, but will accept the message"),
    420: ("4.4.2", "Timeout, connection problem"),
    421: ("4.7.0", "Service not available, closing transmission channel"),
    422: ("4.2.2", "The recipient's mailbox is over its quota"),
    431: ("4.3.1", "Not enough disk space"),
    432: ("4.3.2", "The recipient's incoming mail queue has been stopped"),
    441: ("4.4.1", "The recipient's server is not responding"),
    442: ("4.4.2", "The connection was dropped during transmission"),
    450: ("4.2.0", "Mailbox unavailable, try again later"),
    451: ("4.3.0", "Local error in processing"),
    452: ("4.3.1", "Insufficient system storage"),
    500: ("5.5.1", "Syntax error, command unrecognised"),
    501: ("5.5.4", "Syntax error in parameters"),
    502: ("5.5.1", "Command not implemented"),
    503: ("5.5.1", "Bad sequence of commands"),
    504: ("5.5.4", "Command parameter not implemented"),
    510: ("5.1.1", "Bad email address"),
    512: ("5.1.2", "Host unknown"),
    513: ("5.1.3", "Address type is incorrect"),
    523: ("5.2.3", "The message exceeds the recipient's size limit"),
    530: ("5.7.0", "Authentication required"),
    541: ("5.7.1", "The message was rejected by the recipient"),
    550: ("5.1.1", "Mailbox unavailable"),
    551: ("5.1.6", "User not local"),
    552: ("5.2.2", "Storage allocation exceeded"),
    553: ("5.1.3", "Mailbox name not allowed"),
    554: ("5.0.0", "Transaction failed"),
}


def reply(code: int) -> str:
    status, words = _REPLIES[code]
    return f"{code} {status} {words}"
