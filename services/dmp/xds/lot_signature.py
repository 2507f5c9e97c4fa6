"""The XAdES signature of a lot (IHE DSG, detached): who signed, and do its digests cover the lot?

The signature covers a manifest in the same file, which names the submission set (its digest is AA==, and
says nothing) and each document by `urn:oid:<uniqueId>` (spec: dmp.md §1.4).
"""

import base64
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final

from cryptography import x509
from lxml import etree

from services.dmp.xds.submission import Lot, SubmittedDocument
from socle.problems import Problem
from socle.saml.signature import DSIG, NotSigned, verify_detached
from socle.soap.parsing import UnreadableXmlError, parse_xml

SOURCE: Final = "IHE DSG; spec dmp.md §1.4 (signature of the lot)"
_DIGESTS: Final[Mapping[str, str]] = {
    "http://www.w3.org/2000/09/xmldsig#sha1": "sha1",
    "http://www.w3.org/2001/04/xmlenc#sha256": "sha256",
    "http://www.w3.org/2001/04/xmlenc#sha512": "sha512",
}
_C14N: Final[Mapping[str, tuple[bool, bool]]] = {  # exclusive, with comments
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315": (False, False),
    "http://www.w3.org/TR/2001/REC-xml-c14n-20010315#WithComments": (False, True),
    "http://www.w3.org/2001/10/xml-exc-c14n#": (True, False),
    "http://www.w3.org/2001/10/xml-exc-c14n#WithComments": (True, True),
}
MAX_DEPTH: Final = 64


def check_signature(
    lot: Lot, authorities: Sequence[x509.Certificate], now: datetime
) -> list[Problem]:
    """Every finding, as errors; the setting of the check makes warnings of them."""
    assert lot.signature is not None
    path = lot.signature.path
    try:
        root = parse_xml(lot.signature.content, "DMP-LOT-SIGNATURE", MAX_DEPTH)
        covered = verify_detached(root, authorities, now)
    except UnreadableXmlError as error:
        return [error.problem]
    except NotSigned as refusal:
        return [_problem("INVALID", path, str(refusal), "an XAdES signature by a certificate of the "
                         "sandbox's authority (`socle ca client`) or of SOCLE_DMP_VIHF_CA")]  # fmt: skip
    manifest = next((one for one in covered if one.tag == f"{{{DSIG}}}Manifest"), None)
    if manifest is None:
        return [_problem("MANIFEST", path, "it covers no manifest", "a reference to ds:Manifest")]
    return list(_of_manifest(lot, manifest, path))


def _of_manifest(lot: Lot, manifest: etree._Element, path: str) -> Iterator[Problem]:
    references = {one.get("URI", ""): one for one in manifest.iterfind(f"{{{DSIG}}}Reference")}
    if lot.submission_set is not None:
        uri = f"urn:oid:{lot.submission_set.unique_id}"
        if uri not in references:
            yield _problem("SET", path, "the manifest does not name the submission set", uri)
    for document in lot.documents:
        uri = f"urn:oid:{document.entry.unique_id}"
        if uri not in references:
            yield _problem("DOCUMENT", path, "the manifest does not name the document", uri)
        else:
            yield from _of_document(document, references[uri], path)


def _of_document(
    document: SubmittedDocument, reference: etree._Element, path: str
) -> Iterator[Problem]:
    method = reference.find(f"{{{DSIG}}}DigestMethod")
    name = _DIGESTS.get("" if method is None else method.get("Algorithm", ""))
    if name is None:
        yield _problem("DIGEST", path, "an unknown digest method", " or ".join(_DIGESTS))
        return
    content = document.content
    for transform in reference.iterfind(f"{{{DSIG}}}Transforms/{{{DSIG}}}Transform"):
        mode = _C14N.get(transform.get("Algorithm", ""))
        if mode is None:
            yield _problem("TRANSFORM", path, "an unknown transform", " or ".join(_C14N))
            return
        try:
            content = _canonical(content, *mode)
        except etree.XMLSyntaxError:
            return  # that the document is no XML is told elsewhere
    actual = base64.b64encode(hashlib.new(name, content, usedforsecurity=False).digest()).decode()
    given = "".join((reference.findtext(f"{{{DSIG}}}DigestValue") or "").split())
    if given != actual:
        unique_id = document.entry.unique_id
        yield _problem(
            "DIGEST",
            path,
            f"the digest of {unique_id} is not that of its bytes",
            f"{name} {actual}",
        )


def _canonical(content: bytes, exclusive: bool, with_comments: bool) -> bytes:
    parser = etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=True
    )
    root = etree.fromstring(content, parser)
    written: bytes = etree.tostring(
        root.getroottree(), method="c14n", exclusive=exclusive, with_comments=with_comments
    )
    return written


def _problem(rule: str, path: str, message: str, expected: str) -> Problem:
    return Problem(f"DMP-LOT-SIGNATURE-{rule}", path, message, expected, source=SOURCE)
