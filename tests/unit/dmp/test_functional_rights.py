import pytest

from services.dmp.domain.functional_rights import AIR, check_right, column_of
from services.dmp.domain.habilitation import read_habilitation


@pytest.mark.parametrize(
    ("roles", "treating", "column"),
    [
        (("10", "SM26"), False, "doctor"), (("10", "SM26"), True, "treating_doctor"), (("60",), False, "professional"),
        (("AUTOMATE",), False, "establishment"), ((), False, "professional"),
    ],
)  # fmt: skip
def test_reads_the_column_from_the_roles(
    roles: tuple[str, ...], treating: bool, column: str
) -> None:
    assert column_of(roles, is_treating_doctor=treating) == column


@pytest.mark.parametrize(
    ("transaction", "column", "purpose", "mode", "rule"),
    [
        ("TD0.2", "professional", "bris_de_glace", "DIRECTE", None),
        ("TD0.3", "doctor", "normal", "DIRECTE", None),
        ("TD0.3", "doctor", "centre_15", "DIRECTE", "DMP-RIGHTS"),
        ("TD0.3", "establishment", "normal", "INDIRECTE", "DMP-RIGHTS"),
        ("TD0.5", "doctor", "normal", "DIRECTE", "DMP-RIGHTS"),
        ("TD0.5", "doctor", "centre_15", "DIRECTE", None),
        ("TD2.1", "doctor", "normal", AIR, "DMP-RIGHTS-AIR"),
        ("TD3.2", "establishment", "normal", "INDIRECTE", "DMP-RIGHTS"),
        ("TD9.9", "establishment", "normal", "INDIRECTE", None),
    ],
)
def test_decides_by_the_matrix(
    transaction: str, column: str, purpose: str, mode: str, rule: str | None
) -> None:
    found = check_right(transaction, column, purpose, mode)  # type: ignore[arg-type]
    assert (found.rule if found else None) == rule
    if found is not None:
        assert found.expected
        assert "PDT-INF-526" in found.source


def test_hides_nothing_from_doctors_and_says_that_it_is_no_law() -> None:
    matrix = read_habilitation(None)
    assert matrix.confidence == "sandbox-default"
    assert matrix.hidden_from(("10", "SM26")) == matrix.hidden_from(()) == ()
    assert matrix.hidden_from(("40",)) == ("44", "90")
