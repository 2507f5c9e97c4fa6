"""Comparison of distinguished names, as people write them."""

from cryptography import x509


def same_name(written: str, subject: x509.Name) -> bool:
    """RFC 4514 writes the most specific part first, OpenSSL's older form last: both are taken.

    Values are compared as text, not by their ASN.1 string type, which no one sees.
    """
    wanted, found = _parts(x509.Name.from_rfc4514_string(written)), _parts(subject)
    return wanted in (found, found[::-1])


def _parts(name: x509.Name) -> list[frozenset[tuple[str, str]]]:
    return [
        frozenset((item.oid.dotted_string, _text(item.value)) for item in part)
        for part in name.rdns
    ]


def _text(value: str | bytes) -> str:
    return value if isinstance(value, str) else value.hex()
