"""The whitelist of the trust space as XML (liste blanche, spec: mss.md §1.5), without its signature."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from lxml import etree

NAMESPACE = "https://listeblanche.mssante.fr/schema"


@dataclass(frozen=True, slots=True)
class Entry:
    """One certificate of one domain: a domain has as many entries as certificates."""

    domain: str
    description: str
    dn: str
    responsible: str
    support: str
    updated_at: datetime


def whitelist(entries: Iterable[Entry], generated_at: datetime) -> etree._Element:
    """Each `Domaine` has all six children, in the order of the published list."""
    nsmap: Any = {None: NAMESPACE}  # the stubs of lxml know no default namespace
    root = etree.Element(_name("ListeBlancheMSSante"), nsmap=nsmap)
    _child(root, "DateDeGeneration", _instant(generated_at))
    domains = _child(root, "ListeDomaines")
    for entry in entries:
        domain = _child(domains, "Domaine")
        _child(domain, "Nom", entry.domain)
        _child(domain, "Description", entry.description)
        _child(domain, "DNCertificatOperateur", entry.dn)
        _child(domain, "ResponsableContact", entry.responsible)
        _child(domain, "SupportContact", entry.support)
        _child(domain, "DateMAJ", _instant(entry.updated_at))
    return root


def _child(parent: etree._Element, name: str, text: str | None = None) -> etree._Element:
    child = etree.SubElement(parent, _name(name))
    child.text = text
    return child


def _name(local: str) -> str:
    return f"{{{NAMESPACE}}}{local}"


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
