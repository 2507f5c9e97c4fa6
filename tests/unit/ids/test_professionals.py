import pytest

from socle.ids.luhn import luhn_digit, passes_luhn
from socle.ids.professionals import (
    ProfessionalId,
    idnat_of_rpps,
    is_valid_adeli,
    is_valid_rpps,
    parse_idnat,
    rpps_from_idnat,
)


class TestRpps:
    def test_is_valid_when_it_is_the_professional_of_the_national_test_platform(self) -> None:
        assert is_valid_rpps("99700427885")
        assert rpps_from_idnat("899700427885") == "99700427885"
        assert idnat_of_rpps("99700427885") == "899700427885"

    @pytest.mark.parametrize(
        "rpps", ["99700427884", "9970042788", "997004278850", "9970042788A", ""]
    )
    def test_is_refused_when_key_length_or_characters_are_wrong(self, rpps: str) -> None:
        assert not is_valid_rpps(rpps)
        assert rpps_from_idnat("8" + rpps) is None

    def test_is_none_when_the_identifier_is_of_another_type(self) -> None:
        assert rpps_from_idnat("0751234567") is None

    def test_gets_its_check_digit_from_the_first_ten(self) -> None:
        assert luhn_digit("9970042788") == "5"
        assert not passes_luhn("9970042788x")


class TestIdnat:
    @pytest.mark.parametrize(
        ("idnat", "kind", "number"),
        [
            ("899700427885", "rpps", "99700427885"),
            ("0751234567", "adeli", "751234567"),
            ("02A1234567", "adeli", "2A1234567"),
            ("3750712184/12345", "finess", "750712184/12345"),
            ("500000001815646/CPAT00045", "siret", "00000001815646/CPAT00045"),
            ("4356000000/7", "siren", "356000000/7"),
        ],
    )
    def test_has_kind_and_number_when_the_form_is_known(
        self, idnat: str, kind: str, number: str
    ) -> None:
        parsed = parse_idnat(idnat)
        assert parsed == ProfessionalId(kind, number)
        assert parsed.idnat == idnat
        assert number not in repr(parsed)

    @pytest.mark.parametrize("idnat", ["", "8", "7123", "89970042788", "3750712184", "x"])
    def test_is_none_when_the_form_is_unknown(self, idnat: str) -> None:
        assert parse_idnat(idnat) is None

    def test_checks_the_form_only_when_it_is_an_adeli(self) -> None:
        assert is_valid_adeli("751234567")
        assert not is_valid_adeli("75123456")
