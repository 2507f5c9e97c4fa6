"""The file of official people: what is true of it whatever is edited."""

from services.ins.domain.official import official_keys, official_people
from socle.ids.ins import NIR_TEST, Ins, ins_key
from socle.ids.traits import check_traits

# Printed with a key that is not the computed one (spec: ins.md §5), and answered so.
WRONG_KEYS = {"1810363220456", "2810363220456", "2760375106693"}


class TestOfficialPeople:
    def test_keep_the_lexical_rules_of_insi(self) -> None:
        assert [check_traits(person.traits) for person in official_people()] == [
            [] for _ in official_people()
        ]

    def test_have_true_numbers_and_only_the_known_wrong_keys(self) -> None:
        wrong = set()
        for (oid, matricule), key in official_keys().items():
            assert Ins.check(oid, matricule)[1] == []
            if ins_key(matricule) != key:
                wrong.add(matricule)
        assert wrong == WRONG_KEYS

    def test_carry_the_test_oid_when_their_number_is_of_our_making(self) -> None:
        made = [p for p in official_people() if p.active.matricule[-3:-1] == "90"]
        assert len(made) == 3
        assert {person.active.oid for person in made} == {NIR_TEST}
