"""Reads an ITI-65 transaction bundle: its one submission set, its documents, its binaries.

Source: IHE MHD 4.2 §3.65.4.1.2, PDSm pdsm-comprehensive-provide-document-bundle. The guide's
own invariants have no executable FHIRPath, so they are coded here, each under its rule id.
"""

import base64
import binascii
import re
from dataclasses import dataclass, field
from typing import Any

from services.dmp.fhir.access import codings, first, items, mapping, text
from socle.problems import Problem

MHD = "IHE MHD 4.2 §3.65.4.1.2"
_RESTFUL = re.compile(r"(https?://.+/)[A-Za-z]+/[A-Za-z0-9.-]{1,64}")
_RELATIVE = re.compile(r"[A-Za-z]+/[A-Za-z0-9.-]{1,64}")
_SPACE = re.compile(r"[ \t\r\n]")
_WHITE_SPACE = dict.fromkeys(map(ord, " \t\r\n"))
LIST_TYPES = "https://profiles.ihe.net/ITI/MHD/CodeSystem/MHDlistTypes"


@dataclass(frozen=True, slots=True)
class Part:
    """A resource of the submission and where it stands, for the messages.

    `index` is its place in the bundle, 0 where there is none.
    """

    path: str
    full_url: str
    resource: dict[str, Any] = field(repr=False)
    index: int = 0

    def resolve(self, reference: str) -> str:
        """The fullUrl that a reference of this resource means: `Binary/x` in an entry whose fullUrl is
        `<base>/List/1` is `<base>/Binary/x` (FHIR R4 §2.36.4.1)."""
        base = _RESTFUL.fullmatch(self.full_url)
        return f"{base[1]}{reference}" if base and _RELATIVE.fullmatch(reference) else reference


@dataclass(frozen=True, slots=True)
class ProvidedDocument:
    """`binary` is None for a DocumentReference that held its document itself (ITI-105)."""

    reference: Part
    content: bytes = field(repr=False)
    binary: Part | None = None


@dataclass(slots=True)
class ProvideBundle:
    """What was found; `problems` holds everything that is wrong with it."""

    submission_set: Part | None = None
    folders: list[Part] = field(default_factory=list)
    documents: list[ProvidedDocument] = field(default_factory=list)
    patches: list[tuple[Part, str]] = field(default_factory=list)  # and the url of each
    order: list[str] = field(default_factory=list)  # resource type of each entry
    problems: list[Problem] = field(default_factory=list)

    def problem(self, rule: str, path: str, message: str, expected: str = "") -> None:
        self.problems.append(Problem(rule, path, message, expected, source=MHD))


def read_bundle(value: Any) -> ProvideBundle:
    bundle = ProvideBundle()
    resource = mapping(value)
    if resource.get("resourceType") != "Bundle":
        bundle.problem("MHD-BUNDLE", "Bundle", "the body is not a Bundle", "a FHIR R4 Bundle")
        return bundle
    if resource.get("type") != "transaction":
        found = text(resource.get("type")) or "nothing"
        bundle.problem("MHD-TYPE", "Bundle.type", f"type is {found}", "transaction")
    parts = [
        Part(
            f"Bundle.entry[{index}].resource",
            text(mapping(entry).get("fullUrl")),
            mapping(mapping(entry).get("resource")),
            index,
        )
        for index, entry in enumerate(items(resource.get("entry")))
    ]
    bundle.order = [text(part.resource.get("resourceType")) for part in parts]
    _check_requests(bundle, parts, items(resource.get("entry")))
    _check_full_urls(bundle, parts)
    bundle.submission_set = _submission_set(bundle, parts)
    _read_documents(bundle, parts)
    return bundle


def _check_requests(bundle: ProvideBundle, parts: list[Part], entries: list[Any]) -> None:
    for part, entry in zip(parts, entries, strict=True):
        request = mapping(mapping(entry).get("request"))
        kind = text(part.resource.get("resourceType"))
        method, url = request.get("method"), text(request.get("url"))
        if kind == "Parameters" and method == "PATCH":
            bundle.patches.append((part, url))
        elif kind not in ("List", "DocumentReference", "Binary"):
            bundle.problem(
                "MHD-ENTRY", part.path, f"{kind or 'no resource'} is not handled in a submission",
                "List, DocumentReference, Binary, or Parameters to PATCH what is replaced (patients "
                "are referenced by INS)",
            )  # fmt: skip
        elif method != "POST" or url.strip("/") != kind:
            bundle.problem(
                "MHD-REQUEST", f"Bundle.entry[{part.index}].request",
                "the request does not create the resource", f"method POST and url {kind}",
            )  # fmt: skip


def _check_full_urls(bundle: ProvideBundle, parts: list[Part]) -> None:
    """References inside the bundle are by fullUrl: two entries of one name would be mixed up."""
    seen: dict[str, int] = {}
    for part in parts:
        first_index = seen.setdefault(part.full_url, part.index)
        if part.full_url and first_index != part.index:
            bundle.problem(
                "FHIR-FULLURL", f"Bundle.entry[{part.index}].fullUrl",
                f"entry[{first_index}] has the same fullUrl", "a fullUrl of its own (FHIR R4 bdl-7)",
            )  # fmt: skip


def _submission_set(bundle: ProvideBundle, parts: list[Part]) -> Part | None:
    lists = [part for part in parts if part.resource.get("resourceType") == "List"]
    sets = [part for part in lists if "submissionset" in _list_codes(part)]
    for part in lists:
        if "folder" in _list_codes(part):
            bundle.folders.append(part)
        elif part not in sets:
            bundle.problem(
                "MHD-LIST-CODE", f"{part.path}.code",
                "this List is neither a submission set nor a folder",
                f"{LIST_TYPES}|submissionset or {LIST_TYPES}|folder",
            )  # fmt: skip
    if len(sets) != 1:
        bundle.problem(
            "MHD-SUBMISSIONSET", "Bundle.entry", f"{len(sets)} submission sets", "exactly one List"
        )
        return None
    return sets[0]


def _list_codes(part: Part) -> set[str]:
    return {code for system, code in codings(part.resource.get("code")) if system == LIST_TYPES}


def _read_documents(bundle: ProvideBundle, parts: list[Part]) -> None:
    references = [p for p in parts if p.resource.get("resourceType") == "DocumentReference"]
    binaries = {p.full_url: p for p in parts if p.resource.get("resourceType") == "Binary"}
    if not references:
        bundle.problem(
            "MHD-DOCUMENTREFERENCE", "Bundle.entry", "no DocumentReference", "at least one"
        )
    listed = set(listed_by(bundle.submission_set))
    used = set()
    for part in (*references, *bundle.folders):
        if bundle.submission_set is not None and part.full_url not in listed:
            bundle.problem(
                "MHD-LIST-ENTRY", f"{bundle.submission_set.path}.entry",
                f"the submission set does not list {part.full_url or 'an entry without fullUrl'}",
                "List.entry.item.reference equal to the fullUrl of each DocumentReference and folder",
            )  # fmt: skip
    for part in references:
        url = text(mapping(first(part.resource.get("content")).get("attachment")).get("url"))
        binary = binaries.get(part.resolve(url)) if url else None
        if binary is None:
            bundle.problem(
                "MHD-ATTACHMENT", f"{part.path}.content[0].attachment.url",
                f"no Binary of the bundle has the fullUrl {url or '(none given)'}",
                "the fullUrl of a Binary entry",
            )  # fmt: skip
            continue
        used.add(binary.full_url)
        content = decode(bundle, binary.resource.get("data"), f"{binary.path}.data")
        if content is not None:
            bundle.documents.append(ProvidedDocument(part, content, binary))
    for url in binaries.keys() - used:
        bundle.problem(
            "MHD-BINARY-UNUSED", binaries[url].path, "no DocumentReference describes this Binary",
            "an attachment.url equal to its fullUrl",
        )  # fmt: skip


def listed_by(part: Part | None) -> list[str]:
    """The references of a List, in their order."""
    entries = items(part.resource.get("entry")) if part else []
    named = (text(mapping(mapping(entry).get("item")).get("reference")) for entry in entries)
    return [part.resolve(reference) for reference in named] if part else []


def _unwrapped(data: str) -> str:
    """Lines of 76 characters are base64Binary as well (FHIR R4 §2.24.0.1), and usual in XML."""
    return data.translate(_WHITE_SPACE) if _SPACE.search(data) else data


def decode(bundle: ProvideBundle, data: Any, path: str) -> bytes | None:
    """The bytes of base64; None, and a problem at `path`, if there are none."""
    if not isinstance(data, str) or not data:
        bundle.problem("FHIR-BINARY-DATA", path, "the document is empty", "the document in base64")
        return None
    try:
        return base64.b64decode(_unwrapped(data), validate=True)
    except (binascii.Error, ValueError) as error:
        bundle.problem(
            "FHIR-BASE64", path, f"not base64: {error}",
            "base64 of RFC 4648 §4 with its padding; the body may have been cut short",
        )  # fmt: skip
        return None
