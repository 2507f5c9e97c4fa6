"""The lexical traps of INSi (spec: ins.md §1.5), comparison and fingerprints."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socle.ids.traits import (
    Traits,
    check_birth_date,
    check_birth_place,
    check_family_name,
    check_given_name,
    check_sex,
    check_traits,
    fold,
    starts_list,
    trait_fingerprints,
    transliterate,
)

KEY = b"test-key"


def rules(problems: list[object]) -> set[str]:
    return {getattr(problem, "rule", "") for problem in problems}


class TestFamilyName:
    @pytest.mark.parametrize(
        "name",
        ["ADRUN", "D'ARTAGNAN DE L'HERAULT", "PAT-TROIS", "DUPONT--DURAND", "'T HOOFT", "DE VINCI"],
    )
    def test_passes_when_it_keeps_the_rules(self, name: str) -> None:
        assert check_family_name(name, "/x") == []

    @pytest.mark.parametrize(
        ("name", "rule"),
        [
            ("", "INS-LEX-NOM-VIDE"),
            ("Adrun", "INS-LEX-NOM-CARACTERE"),
            ("ADRÛN", "INS-LEX-NOM-CARACTERE"),
            ("D’ÆION", "INS-LEX-NOM-CARACTERE"),
            ("ADRUN2", "INS-LEX-NOM-CARACTERE"),
            ("AD_RUN", "INS-LEX-NOM-CARACTERE"),
            ("ADRUN\n", "INS-LEX-NOM-CARACTERE"),
            ("АDRUN", "INS-LEX-NOM-CARACTERE"),
            (" ADRUN", "INS-LEX-NOM-DEBUT"),
            ("-ADRUN", "INS-LEX-NOM-DEBUT"),
            ("A---B", "INS-LEX-NOM-TIRET"),
            ("A  B", "INS-LEX-NOM-SEPARATEUR"),
            ("A''B", "INS-LEX-NOM-SEPARATEUR"),
            ("A' B", "INS-LEX-NOM-SEPARATEUR"),
            ("A" * 101, "INS-LEX-NOM-LONGUEUR"),
        ],
    )
    def test_is_refused_and_never_repaired(self, name: str, rule: str) -> None:
        assert rules(list(check_family_name(name, "/x"))) == {rule}

    def test_is_not_repeated_when_it_is_refused(self) -> None:
        [problem] = check_family_name("SÉCRET", "/x")
        assert "SÉCRET" not in repr(problem)
        assert "U+00C9" in problem.message


class TestGivenName:
    @pytest.mark.parametrize("name", ["ZOE", "PIERRE-ALAIN", "N'GOLO", "DOMINIQUE MARIE-LOUISE"])
    def test_passes_when_it_keeps_the_rules(self, name: str) -> None:
        assert check_given_name(name, "/x") == []

    @pytest.mark.parametrize(
        ("name", "rule"),
        [
            ("JEAN--PAUL", "INS-LEX-PRENOM-TIRET"),
            ("JEAN-", "INS-LEX-PRENOM-FIN"),
            ("JEAN'", "INS-LEX-PRENOM-FIN"),
            ("CŒUR", "INS-LEX-PRENOM-CARACTERE"),
            ("JEAN/PAUL", "INS-LEX-PRENOM-CARACTERE"),
            ("", "INS-LEX-PRENOM-VIDE"),
        ],
    )
    def test_is_refused_and_never_repaired(self, name: str, rule: str) -> None:
        assert rules(list(check_given_name(name, "/x"))) == {rule}


class TestOtherTraits:
    @pytest.mark.parametrize("date", ["1975-12-31", "1950-14-33"])
    def test_pass_when_the_date_has_the_shape(self, date: str) -> None:
        assert check_birth_date(date, "/x") == []

    @pytest.mark.parametrize("date", ["", "19751231", "31-12-1975", "1975-12-31Z", "١٩٧٥-12-31"])
    def test_are_refused_when_the_date_has_another(self, date: str) -> None:
        assert rules(list(check_birth_date(date, "/x"))) == {"INS-LEX-DATE"}

    @pytest.mark.parametrize("sex", ["", "m", "U", "I", "MF"])
    def test_are_refused_when_the_sex_is_not_known_to_insi(self, sex: str) -> None:
        assert rules(list(check_sex(sex, "/x"))) == {"INS-LEX-SEXE"}

    def test_are_refused_when_the_place_is_no_cog(self) -> None:
        assert check_birth_place("2A020", "/x") == []
        assert rules(list(check_birth_place("Paris", "/x"))) == set()
        assert rules(list(check_birth_place("PARIS 1", "/x"))) == {"INS-LEX-LIEU"}

    def test_are_all_named_when_everything_is_wrong(self) -> None:
        problems = check_traits(Traits("a", "b", "x", "y", "z"))
        assert [problem.path for problem in problems] == [
            "/family_name",
            "/given_names",
            "/sex",
            "/birth_date",
            "/birth_place",
        ]

    def test_are_not_shown_when_the_object_is_printed(self) -> None:
        assert "ADRUN" not in repr(Traits("ADRUN", "ZOE", "F", "1975-12-31", "63220"))


class TestComparison:
    @pytest.mark.parametrize(
        "given_name",
        ["JEAN", "JEAN CHRISTOPHE", "JEAN-CHRISTOPHE", "JEAN-CHRISTOPHE-PIERRE",
         "JEAN CHRISTOPHE-PIERRE"],
    )  # fmt: skip
    def test_holds_the_first_name_coherent_when_it_begins_the_list(self, given_name: str) -> None:
        assert starts_list(given_name, "JEAN CHRISTOPHE PIERRE")

    @pytest.mark.parametrize("given_name", ["CHRISTOPHE", "PIERRE", "JEA", "", "JEAN PIERRE"])
    def test_does_not_when_it_stands_elsewhere(self, given_name: str) -> None:
        assert not starts_list(given_name, "JEAN CHRISTOPHE PIERRE")

    def test_transliterates_what_a_client_must(self) -> None:
        assert transliterate("d’Æîon-Cœur") == "D'AEION-COEUR"

    @given(st.text(max_size=40))
    def test_folds_to_the_same_when_folded_again(self, name: str) -> None:
        assert fold(fold(name)) == fold(name)


class TestFingerprints:
    def test_are_equal_when_a_document_writes_the_traits_otherwise(self) -> None:
        ours = trait_fingerprints(KEY, family_name="PAT-TROIS", birth_date="1979-03-28", sex="F")
        theirs = trait_fingerprints(KEY, family_name="Pat Trois", birth_date="19790328", sex="f")
        assert ours == theirs
        assert set(ours) == {"family_name", "birth_date", "sex"}

    @pytest.mark.parametrize(
        "change", [{"family_name": "PAT"}, {"birth_date": "1979-03-29"}, {"sex": "M"}]
    )
    def test_differ_in_one_place_when_one_trait_does(self, change: dict[str, str]) -> None:
        traits = {"family_name": "PAT-TROIS", "birth_date": "1979-03-28", "sex": "F"}
        before = trait_fingerprints(KEY, **traits)
        after = trait_fingerprints(KEY, **{**traits, **change})
        assert {name for name in before if before[name] != after[name]} == set(change)

    def test_differ_when_the_key_does(self) -> None:
        traits = {"family_name": "A", "birth_date": "1979-03-28", "sex": "F"}
        assert trait_fingerprints(KEY, **traits) != trait_fingerprints(b"other", **traits)
