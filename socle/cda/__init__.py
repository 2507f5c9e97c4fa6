"""CDA R2 documents as the CI-SIS profiles them: read, check, describe, and generate."""

from socle.cda.header import read_header
from socle.cda.metadata import DocumentMetadata, metadata_of
from socle.cda.model import CdaHeader
from socle.cda.rules import check_header
from socle.cda.xml import MalformedCdaError

__all__ = [
    "CdaHeader",
    "DocumentMetadata",
    "MalformedCdaError",
    "check_header",
    "metadata_of",
    "read_header",
]
