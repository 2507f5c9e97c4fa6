"""Line ends, of which mail knows one: CRLF (RFC 5321 §2.3.8)."""


def bare_ends(content: bytes) -> tuple[int, int]:
    """How many CR and how many LF stand alone."""
    pairs = content.count(b"\r\n")
    return content.count(b"\r") - pairs, content.count(b"\n") - pairs


def with_crlf(content: bytes) -> bytes:
    """Each line ends with CRLF. What is taken in by another way than SMTP becomes mail by it; what goes
    out to others is safe by it, for some of them take `\\n.\\n` for the end of the message."""
    if not any(bare_ends(content)):
        return content
    return content.replace(b"\r\n", b"\n").replace(b"\r", b"\n").replace(b"\n", b"\r\n")
