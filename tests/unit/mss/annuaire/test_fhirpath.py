"""The FHIRPath of patches, and what it points at."""

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.mss.annuaire.domain.fhirpath import PathError, Step, parse
from services.mss.annuaire.domain.systems import MAILBOX_METADATA as URL
from services.mss.annuaire.domain.targets import ALL, WHOLE, Target, target_of

ADDRESS = "a.b@c.mssante.fr"
CHOSEN = f"Practitioner.telecom.where(value = '{ADDRESS}')"


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("Practitioner.telecom", Target(ALL)),
        ("telecom", Target(ALL)),
        (CHOSEN, Target(WHOLE, ADDRESS)),
        (CHOSEN.replace(" ", ""), Target(WHOLE, ADDRESS)),
        (CHOSEN.replace("a.b", "A.B"), Target(WHOLE, ADDRESS)),
        (f"{CHOSEN}.first()", Target(WHOLE, ADDRESS)),
        ("Practitioner.telecom[2]", Target(WHOLE, index=2)),
        ("Practitioner.telecom.first()", Target(WHOLE, index=0)),
        (f"{CHOSEN}.rank", Target("rank", ADDRESS)),
        (f"{CHOSEN}.extension('{URL}').extension('listeRouge').value", Target("listeRouge", ADDRESS)),
        (f"{CHOSEN}.extension('{URL}').extension('service')", Target("service", ADDRESS)),
        (
            f"{CHOSEN}.extension.where(url = '{URL}').extension.where(url='listeRouge')"
            ".value.ofType(boolean)",
            Target("listeRouge", ADDRESS),
        ),
        (
            f"Practitioner.telecom[0].extension('{URL}').extension('type').valueCodeableConcept",
            Target("type", index=0),
        ),
    ],
)  # fmt: skip
def test_finds_what_a_path_points_at(path: str, target: Target) -> None:
    assert target_of(path, "Practitioner") == target


@pytest.mark.parametrize(
    "path",
    [
        "Organization.telecom", "Practitioner.name", "Practitioner", f"{CHOSEN}.use",
        f"{CHOSEN}.extension('other').extension('type')", f"{CHOSEN}.extension('{URL}')",
        f"{CHOSEN}.extension('{URL}').extension('other').value", "Practitioner.telecom.value",
        "Practitioner.telecom.where(system = 'email')", "Practitioner.telecom.where(value = 'x)",
    ],
)  # fmt: skip
def test_refuses_what_is_no_mailbox(path: str) -> None:
    with pytest.raises(PathError):
        target_of(path, "Practitioner")


def test_reads_escaped_quotes() -> None:
    assert parse(r"where(value = 'it\'s')") == [
        Step("where", function=True, argument="value", text="it's")
    ]


@given(st.text(alphabet="telcom.where()='[]0\\ é\n\x00", max_size=60))
def test_any_text_is_read_or_refused(path: str) -> None:
    with contextlib.suppress(PathError):
        target_of(path, "Practitioner")
