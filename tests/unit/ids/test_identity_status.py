"""The life cycle of an identity, row by row of EXI SI 07 to 09."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socle.errors import DomainError
from socle.ids import identity_status as life
from socle.ids.identity_status import IdentityState, Status, Transition

NEW = IdentityState()
RETRIEVED = IdentityState(retrieved=True)
VALIDATED = IdentityState(checked=True)
QUALIFIED = IdentityState(retrieved=True, checked=True)
DOUBTFUL = IdentityState(doubtful=True)
FICTIVE = IdentityState(fictive=True)

STEPS: list[Callable[[IdentityState], Transition]] = [
    lambda state: life.retrieve(state, "r"),
    lambda state: life.accept_evidence(state, "CN"),
    lambda state: life.doubt(state, "r"),
    lambda state: life.lift_doubt(state, "r"),
    lambda state: life.declare_fictive(state, "r"),
    lambda state: life.declare_homonym(state, "r"),
    lambda state: life.fail_verification(state, "r"),
    lambda state: life.correct_trait(state, "r"),
    lambda state: life.correct_trait(state, "r", birth_date_corrected=True),
]


class TestStatus:
    @pytest.mark.parametrize(
        ("state", "status", "code"),
        [
            (NEW, Status.PROVISIONAL, "PROV"),
            (RETRIEVED, Status.RETRIEVED, "RECUP"),
            (VALIDATED, Status.VALIDATED, "VALI"),
            (QUALIFIED, Status.QUALIFIED, "QUAL"),
        ],
    )
    def test_follows_the_two_facts(self, state: IdentityState, status: Status, code: str) -> None:
        assert (state.status, state.status.code) == (status, code)
        assert state.may_carry_ins is (status is Status.QUALIFIED)

    @pytest.mark.parametrize(
        "impossible",
        [
            {"fictive": True, "doubtful": True},
            {"fictive": True, "homonym": True},
            {"doubtful": True, "retrieved": True},
            {"fictive": True, "checked": True},
            {"birth_date_corrected": True, "retrieved": True},
        ],
    )
    def test_cannot_exist_when_attributes_contradict(self, impossible: dict[str, bool]) -> None:
        with pytest.raises(ValueError, match=r"EXI SI 09|PAM France"):
            IdentityState(**impossible)


class TestTransitions:
    @pytest.mark.parametrize(
        ("before", "step", "after"),
        [
            (NEW, STEPS[0], Status.RETRIEVED),
            (NEW, STEPS[1], Status.VALIDATED),
            (RETRIEVED, STEPS[1], Status.QUALIFIED),
            (VALIDATED, STEPS[0], Status.QUALIFIED),
            (QUALIFIED, STEPS[2], Status.PROVISIONAL),
            (QUALIFIED, STEPS[4], Status.PROVISIONAL),
            (QUALIFIED, STEPS[5], Status.QUALIFIED),
            (QUALIFIED, STEPS[6], Status.VALIDATED),
            (RETRIEVED, STEPS[6], Status.PROVISIONAL),
            (QUALIFIED, STEPS[7], Status.PROVISIONAL),
            (DOUBTFUL, STEPS[3], Status.PROVISIONAL),
        ],
    )
    def test_reach_the_status_of_the_specification(
        self, before: IdentityState, step: Callable[[IdentityState], Transition], after: Status
    ) -> None:
        assert step(before).after.status is after

    @pytest.mark.parametrize(
        ("state", "step", "code"),
        [
            (DOUBTFUL, STEPS[0], "identity_doubtful"),
            (DOUBTFUL, STEPS[1], "identity_doubtful"),
            (DOUBTFUL, STEPS[4], "attribute_conflict"),
            (FICTIVE, STEPS[0], "identity_fictive"),
            (FICTIVE, STEPS[1], "identity_fictive"),
            (FICTIVE, STEPS[2], "identity_fictive"),
            (FICTIVE, STEPS[5], "attribute_conflict"),
            (NEW, STEPS[3], "identity_not_doubtful"),
            (IdentityState(birth_date_corrected=True), STEPS[0], "birth_date_corrected"),
        ],
    )
    def test_are_refused_when_an_attribute_forbids_them(
        self, state: IdentityState, step: Callable[[IdentityState], Transition], code: str
    ) -> None:
        with pytest.raises(DomainError) as refusal:
            step(state)
        assert refusal.value.code == code

    def test_forget_the_document_when_a_doubt_is_lifted(self) -> None:
        doubted = life.doubt(QUALIFIED, "r").after
        assert life.lift_doubt(doubted, "r").after == NEW

    def test_allow_a_doubtful_homonym(self) -> None:
        state = life.declare_homonym(DOUBTFUL, "r").after
        assert state.attributes == ("homonyme", "douteuse")

    def test_say_when_the_qualification_changes(self) -> None:
        assert life.accept_evidence(RETRIEVED, "PA").changes_qualification
        assert life.doubt(QUALIFIED, "r").changes_qualification
        assert not life.declare_homonym(QUALIFIED, "r").changes_qualification

    def test_refuse_evidence_that_is_not_high_trust(self) -> None:
        with pytest.raises(DomainError, match="CN, CS"):
            life.accept_evidence(NEW, "VITALE")

    @given(st.lists(st.sampled_from(STEPS), max_size=12))
    def test_never_carry_an_ins_when_doubtful_fictive_or_corrected(
        self, steps: list[Callable[[IdentityState], Transition]]
    ) -> None:
        state = NEW
        for step in steps:
            try:
                state = step(state).after
            except DomainError:
                continue
            barred = state.doubtful or state.fictive or state.birth_date_corrected
            assert not (barred and state.may_carry_ins)
