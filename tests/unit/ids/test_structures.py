import pytest

from socle.ids.structures import (
    StructureId,
    is_valid_finess,
    is_valid_siret,
    parse_struct_idnat,
    parse_technical_id,
)


class TestFiness:
    @pytest.mark.parametrize("finess", ["750712184", "920000650", "0B0193488", "2A0000014"])
    def test_is_valid_when_the_key_holds_or_the_number_has_a_letter(self, finess: str) -> None:
        assert is_valid_finess(finess)

    @pytest.mark.parametrize("finess", ["750712185", "75071218", "C50712184", "7507121840", ""])
    def test_is_refused_when_key_or_form_is_wrong(self, finess: str) -> None:
        assert not is_valid_finess(finess)


class TestSiret:
    @pytest.mark.parametrize("siret", ["18003502400041", "35600000000048", "35600000009075"])
    def test_is_valid_when_luhn_or_la_postes_rule_holds(self, siret: str) -> None:
        assert is_valid_siret(siret)

    @pytest.mark.parametrize("siret", ["18003502400042", "1800350240004", "35600000000049"])
    def test_is_refused_when_key_or_length_is_wrong(self, siret: str) -> None:
        assert not is_valid_siret(siret)


class TestStructIdnat:
    @pytest.mark.parametrize(
        ("idnat", "structure"),
        [
            ("1750712184", StructureId("finess", "750712184")),
            ("10B0193488", StructureId("finess", "0B0193488")),
            ("2180035024", StructureId("siren", "180035024")),
            ("318003502400041", StructureId("siret", "18003502400041")),
            ("499700427885006", StructureId("rpps-rang", "99700427885006")),
            ("075123456701", StructureId("adeli-rang", "75123456701")),
        ],
    )
    def test_is_read_and_written_back_when_the_form_is_known(
        self, idnat: str, structure: StructureId
    ) -> None:
        assert parse_struct_idnat(idnat) == structure
        assert structure.idnat == idnat

    def test_is_a_finess_when_the_old_prefix_comes_before_nine_characters(self) -> None:
        assert parse_struct_idnat("0750712184") == StructureId("finess", "750712184")

    @pytest.mark.parametrize("idnat", ["", "1", "101238887", "9750712184", "3180035024000412"])
    def test_is_none_when_the_form_is_unknown(self, idnat: str) -> None:
        assert parse_struct_idnat(idnat) is None

    def test_is_not_valid_when_the_key_of_its_number_is_wrong(self) -> None:
        assert StructureId("finess", "750712184").is_valid
        assert not StructureId("finess", "750712185").is_valid
        assert StructureId("rpps-rang", "99700427885006").is_valid


class TestTechnicalId:
    def test_has_a_national_number_when_it_is_a_finess_or_a_siret(self) -> None:
        assert parse_technical_id("F0B0193488") == StructureId("finess", "0B0193488")
        assert parse_technical_id("C18003502400041") == StructureId("siret", "18003502400041")

    @pytest.mark.parametrize("value", ["R102671", "", "F1", "C1"])
    def test_is_none_when_it_has_no_national_number(self, value: str) -> None:
        assert parse_technical_id(value) is None
