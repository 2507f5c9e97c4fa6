"""Why a text is not well-formed XML, in words that quote nothing of it: it may hold a person's name."""

from typing import Final

from lxml import etree

_Reason = tuple[str, str]
_OTHERWISE: Final[_Reason] = ("it is not well-formed XML", "XML 1.0")
_KINDS: Final = etree.ErrorTypes
_REASONS: Final[dict[int, _Reason]] = {
    _KINDS.ERR_DOCUMENT_EMPTY: (
        "it does not begin with an element",
        "an XML declaration, or the root element",
    ),
    _KINDS.ERR_DOCUMENT_END: ("something follows the root element", "nothing behind its end tag"),
    _KINDS.ERR_RESERVED_XML_NAME: (
        "something stands before the XML declaration",
        "<?xml at the first octet, without blank or line end before it",
    ),
    _KINDS.ERR_INVALID_ENCODING: (
        "its octets are not of its encoding, which is UTF-8 where no other is declared",
        "UTF-8, or an XML declaration with the encoding that is sent, such as windows-1252",
    ),
    _KINDS.ERR_UNSUPPORTED_ENCODING: ("its encoding is not known here", "UTF-8"),
    _KINDS.ERR_UNKNOWN_ENCODING: ("its encoding is not known here", "UTF-8"),
    _KINDS.ERR_INVALID_CHAR: (
        "it holds a control character that XML forbids, as it stands or by its number",
        "tabs and line ends only",
    ),
    _KINDS.ERR_UNDECLARED_ENTITY: (
        "it names an entity that XML does not know",
        "&amp; &lt; &gt; &apos; &quot; and numbers, such as &#233; for é",
    ),
    _KINDS.ERR_TAG_NAME_MISMATCH: (
        "an end tag is not that of the element which is open",
        "one end tag for each start tag, in their order",
    ),
    _KINDS.ERR_TAG_NOT_FINISHED: (
        "it ends inside an element: it may have been cut short",
        "the whole text",
    ),
    _KINDS.ERR_LT_IN_ATTRIBUTE: ("a value of an attribute holds <", "&lt;"),
    _KINDS.ERR_NAME_REQUIRED: ("a & or < stands alone in a text", "&amp; or &lt;"),
    _KINDS.ERR_ENTITYREF_SEMICOL_MISSING: ("a & stands alone in a text", "&amp;"),
    _KINDS.NS_ERR_UNDEFINED_NAMESPACE: (
        "a prefix has no namespace",
        "xmlns:prefix on the element or around it",
    ),
}


def place_and_reason(error: Exception) -> tuple[str, str, str]:
    """Where, what is wrong, and what would have been right."""
    if not isinstance(error, etree.XMLSyntaxError):
        return "/", *_OTHERWISE
    line, column = error.position
    message, expected = _REASONS.get(getattr(error, "code", 0), _OTHERWISE)
    return f"line {line}, column {column}", message, expected
