"""The header rules of CI-SIS "structuration minimale", all findings in one go.

A rule that the published samples of the ANS break warns instead of refusing, and says so beside
its code. Rule ids (`CDA-HDR-…`) are stable: conformance reports refer to them.
"""

from socle.cda.model import CdaHeader
from socle.cda.rules.context import check_context
from socle.cda.rules.document import check_document
from socle.cda.rules.patient import check_patient
from socle.cda.rules.people import check_people
from socle.problems import Problem

__all__ = ["check_header"]


def check_header(header: CdaHeader) -> list[Problem]:
    """Every problem, in the order of the header; empty when there is nothing to say."""
    return [
        *check_document(header),
        *check_patient(header),
        *check_people(header),
        *check_context(header),
    ]
