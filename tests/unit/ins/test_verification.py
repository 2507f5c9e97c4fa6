"""The comparison of what a caller holds with what the register knows."""

from dataclasses import replace

import pytest

from services.ins.domain.person import Person, RegisteredIns
from services.ins.domain.verification import Claim, verify
from socle.ids.ins import NIR_TEST
from socle.ids.traits import Traits

TRAITS = Traits("D'ARTAGNAN", "JEAN-CHRISTOPHE PIERRE", "M", "1980-03-02", "2B020")
HOLDER = Person(TRAITS, RegisteredIns(NIR_TEST, "180032B020401", "23"))
CLAIM = Claim(NIR_TEST, "180032B020401", TRAITS)


class TestVerify:
    @pytest.mark.parametrize(
        "told",
        [
            {},
            {"family_name": "D ARTAGNAN"},
            {"given_names": "JEAN CHRISTOPHE"},
            {"given_names": "JEAN"},
            {"birth_place": ""},
        ],
    )
    def test_confirms_traits_that_are_written_otherwise_or_known_in_part(
        self, told: dict[str, str]
    ) -> None:
        assert verify(replace(CLAIM, traits=replace(TRAITS, **told)), HOLDER).code == "OK"

    @pytest.mark.parametrize(
        "told",
        [
            {"family_name": "DARTAGNAN"},
            {"given_names": "PIERRE"},
            {"sex": "F"},
            {"birth_date": "1980-03-03"},
            {"birth_place": "63220"},
        ],
    )
    def test_names_each_trait_that_differs(self, told: dict[str, str]) -> None:
        verdict = verify(replace(CLAIM, traits=replace(TRAITS, **told)), HOLDER)
        assert (verdict.code, verdict.differs) == ("KO", tuple(told))

    def test_knows_a_person_by_another_spelling_of_the_register(self) -> None:
        claim = replace(CLAIM, traits=replace(TRAITS, family_name="DARTAGNAN"))
        assert verify(claim, replace(HOLDER, other_family_names=("DARTAGNAN",))).confirmed

    def test_refuses_an_ins_that_is_nobody_s(self) -> None:
        assert verify(CLAIM, None).differs == ("ins",)
