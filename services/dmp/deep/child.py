"""The validating process: documents come in on standard input, findings go out as lines of JSON.

A process of its own, so that neither the memory of an XSLT engine nor a document that keeps it busy
concerns anybody else: whoever started it stops it.
"""

import argparse
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, BinaryIO

import orjson
from lxml import etree

SVRL = "http://purl.oclc.org/dsdl/svrl"
MAX_FINDINGS = 200
Finding = dict[str, str]
Check = Callable[[bytes], Iterator[Finding]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--xsd", type=Path)
    parser.add_argument("--schematrons", type=Path)
    arguments = parser.parse_args()
    checks = list(_checks(arguments.xsd, arguments.schematrons))
    while (content := _read(sys.stdin.buffer)) is not None:
        findings = [found for check in checks for found in _contained(check, content)]
        sys.stdout.buffer.write(orjson.dumps(findings[:MAX_FINDINGS]) + b"\n")
        sys.stdout.buffer.flush()


def _read(stream: BinaryIO) -> bytes | None:
    """Eight bytes of length, then the document; None at the end."""
    head = stream.read(8)
    return stream.read(int.from_bytes(head, "big")) if len(head) == 8 else None


def _checks(xsd: Path | None, schematrons: Path | None) -> Iterator[Check]:
    if xsd is not None:
        yield _schema(xsd)
    if schematrons is not None:
        yield from _stylesheets(sorted(schematrons.glob("*.xsl")))


def _contained(check: Check, content: bytes) -> Iterator[Finding]:
    """A check that breaks is a finding too: somebody brought a stylesheet that does not work."""
    try:
        yield from check(content)
    except Exception as error:  # noqa: BLE001 — whatever an engine that the user brings raises
        yield _finding("DEEP-CHECK", "", f"the check itself failed: {error}"[:500], "error", "")


def _schema(file: Path) -> Check:
    schema = etree.XMLSchema(etree.parse(file))

    def check(content: bytes) -> Iterator[Finding]:
        parser = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
        root = etree.fromstring(content, parser)
        if schema.validate(root):
            return
        errors: Any = schema.error_log  # whose stub lacks its iterator
        for entry in errors:
            yield _finding("CDA-XSD", f"line {entry.line}", entry.message, "error", file.name)

    return check


def _stylesheets(files: list[Path]) -> Iterator[Check]:
    # Late: only who brings schematrons needs the engine.
    from saxonche import PySaxonProcessor

    processor = PySaxonProcessor(license=False)
    compiler = processor.new_xslt30_processor()
    for file in files:
        yield _stylesheet(processor, compiler.compile_stylesheet(stylesheet_file=str(file)), file)


def _stylesheet(processor: Any, executable: Any, file: Path) -> Check:
    def check(content: bytes) -> Iterator[Finding]:
        node = processor.parse_xml(xml_text=content.decode("utf-8-sig"))
        report = etree.fromstring(executable.transform_to_string(xdm_node=node).encode())
        for kind in ("failed-assert", "successful-report"):
            for one in report.iter(f"{{{SVRL}}}{kind}"):
                text = " ".join("".join(str(part) for part in one.itertext()).split())
                role = (one.get("role") or one.get("flag") or "").lower()
                severity = "warning" if "warn" in role or "info" in role else "error"
                rule = one.get("id") or file.stem
                yield _finding(rule, one.get("location", ""), text[:500], severity, file.name)

    return check


def _finding(rule: str, path: str, message: str, severity: str, source: str) -> Finding:
    return {"rule": rule, "path": path, "message": message, "severity": severity, "source": source}


if __name__ == "__main__":
    main()
