"""BODYSTRUCTURE and ENVELOPE (RFC 3501 §7.4.2)."""

from services.mss.domain.headers import addresses
from services.mss.domain.mime import Part
from services.mss.imap import wire


def _bytes(value: object) -> bytes:
    """A header's value, unfolded, in the bytes that came."""
    return " ".join(str(value).split()).encode("utf-8", "surrogateescape")


def _header(part: Part, name: str) -> bytes | None:
    value = _raw(part, name)
    return None if value is None else _bytes(value)


def _raw(part: Part, name: str) -> str | None:
    """`get` would give a Header object where the value holds 8-bit octets."""
    for key, value in part.headers.raw_items():
        if key.lower() == name.lower():
            return str(value)
    return None


def envelope(part: Part) -> bytes:
    senders = _addresses(part, "From")
    return wire.plist(
        [
            wire.nstring(_header(part, "Date")),
            wire.nstring(_header(part, "Subject")),
            senders,
            *(
                senders if (found := _addresses(part, name)) == b"NIL" else found
                for name in ("Sender", "Reply-To")
            ),
            *(_addresses(part, name) for name in ("To", "Cc", "Bcc")),
            wire.nstring(_header(part, "In-Reply-To")),
            wire.nstring(_header(part, "Message-ID")),
        ]
    )


def _addresses(part: Part, name: str) -> bytes:
    values = [str(v) for key, v in part.headers.raw_items() if key.lower() == name.lower()]
    found = []
    for label, address in addresses([" ".join(value.split()) for value in values]):
        if not address:
            continue
        local, _, domain = address.rpartition("@")
        if not local:
            local, domain = domain, ""
        found.append(
            wire.plist(
                [
                    wire.nstring(_bytes(label) if label else None),
                    b"NIL",
                    wire.string(_bytes(local)),
                    wire.string(_bytes(domain)),
                ]
            )
        )
    return b"(" + b"".join(found) + b")" if found else b"NIL"


def body_structure(part: Part, *, extended: bool) -> bytes:
    """`extended` is BODYSTRUCTURE, else BODY."""
    if part.is_multipart:
        children = b"".join(body_structure(child, extended=extended) for child in part.children)
        fields = [children, wire.string(part.content_type[1].upper().encode())]
        if extended:
            fields += [_parameters(part.parameters()), *_disposition(part)]
        return wire.plist(fields)
    main, sub = part.content_type
    if main == "multipart":  # without parts, it cannot be shown as one
        main, sub = "text", "plain"
    elif (main, sub) == ("message", "rfc822") and part.embedded is None:  # nested too deeply
        main, sub = "application", "octet-stream"
    fields = [
        wire.string(main.upper().encode()),
        wire.string(sub.upper().encode()),
        _parameters(part.parameters()),
        wire.nstring(_header(part, "Content-ID")),
        wire.nstring(_header(part, "Content-Description")),
        wire.string((_header(part, "Content-Transfer-Encoding") or b"7bit").upper()),
        b"%d" % (part.end - part.body),
    ]
    lines = b"%d" % part.raw.count(b"\n", part.body, part.end)
    if part.embedded is not None:
        inner = part.embedded
        fields += [envelope(inner), body_structure(inner, extended=extended), lines]
    elif main == "text":
        fields.append(lines)
    if extended:
        fields += [b"NIL", *_disposition(part)]  # no MD5
    return wire.plist(fields)


def _parameters(values: list[tuple[str, str]]) -> bytes:
    if not values:
        return b"NIL"
    return wire.plist(
        [wire.string(_bytes(text)) for pair in values for text in (pair[0].upper(), pair[1])]
    )


def _disposition(part: Part) -> list[bytes]:
    """Disposition, language and location: the last fields of both forms."""
    value = _header(part, "Content-Disposition")
    if not value:
        shown = b"NIL"
    else:
        kind = value.partition(b";")[0].strip().upper()
        shown = wire.plist([wire.string(kind), _parameters(part.parameters("content-disposition"))])
    return [shown, b"NIL", b"NIL"]
