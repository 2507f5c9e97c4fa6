import pytest
from hypothesis import given
from hypothesis import strategies as st

from socle.ids import ins as ins_module
from socle.ids.ins import INS_OIDS, NIA, NIR, NIR_DEMO, NIR_TEST, Ins, has_valid_key, ins_key

# Official test numbers whose key holds (CNDA guide, qualification server, ANS examples).
RIGHT = [
    "275126322074974",
    "297022A02077878",
    "160012B02077713",
    "109076322083489",
    "209076322083439",
    "109076322088835",
    "236066322083656",
    "180032B02040123",
    "110086322083060",
    "277076322082910",
    "279035121518989",
]
# Official examples published with a wrong key: (number, the key it should have).
WRONG = [("181036322045660", "76"), ("281036322045610", "26")]


class TestKey:
    @pytest.mark.parametrize("value", RIGHT)
    def test_holds_when_the_number_is_an_official_test_person(self, value: str) -> None:
        assert has_valid_key(value)

    @pytest.mark.parametrize(("value", "key"), WRONG)
    def test_is_told_apart_when_the_official_example_is_wrong(self, value: str, key: str) -> None:
        assert not has_valid_key(value)
        assert ins_key(value[:13]) == key

    @pytest.mark.parametrize(
        "value",
        [
            "221042545611404",
            "223042545611404",
            "222127505611201",
            "224027511583555",
            "276037510669380",
        ],
    )
    def test_fails_when_the_document_example_is_known_to_be_wrong(self, value: str) -> None:
        assert not has_valid_key(value)

    def test_counts_corsica_as_19_and_18_when_the_department_has_a_letter(self) -> None:
        assert ins_key("297022A020778") == f"{97 - 2970219020778 % 97:02d}"
        assert ins_key("160012B020777") == f"{97 - 1600118020777 % 97:02d}"

    @pytest.mark.parametrize("value", ["", "29702A2020778", "297023A020778", "1" * 12, "１" * 13])
    def test_is_refused_when_the_matricule_has_no_such_form(self, value: str) -> None:
        with pytest.raises(ValueError, match="13 characters"):
            ins_key(value)

    @given(st.from_regex(r"[0-9]{13}", fullmatch=True), st.integers(0, 12), st.integers(1, 9))
    def test_changes_when_one_digit_changes(self, matricule: str, rank: int, by: int) -> None:
        digit = str((int(matricule[rank]) + by) % 10)
        other = matricule[:rank] + digit + matricule[rank + 1 :]
        # 97 is prime and divides no difference of one digit.
        assert ins_key(other) != ins_key(matricule)


class TestCheck:
    def test_accepts_13_and_15_characters_when_they_are_the_same_person(self) -> None:
        short, _ = Ins.check(NIR_TEST, "2790351215189")
        long, _ = Ins.check(NIR_TEST, "279035121518989")
        assert short == long
        assert short is not None

    def test_lists_every_fault_when_oid_and_key_are_wrong(self) -> None:
        ins, faults = Ins.check("1.2.3", "279035121518900")
        assert ins is None
        assert len(faults) == 2
        assert "1.2.3" in faults[0]
        assert "89 attendue" in faults[1]

    @pytest.mark.parametrize("value", ["", "27903512151898", "2790351215189890", "A79035121518989"])
    def test_says_so_when_length_or_characters_are_wrong(self, value: str) -> None:
        ins, faults = Ins.check(NIR, value)
        assert ins is None
        assert len(faults) == 1

    def test_never_repeats_the_matricule_when_it_refuses(self) -> None:
        _, faults = Ins.check("1.2.3", "279035121518900")
        assert "2790351215189" not in " ".join(faults)

    def test_knows_no_other_oid_when_the_branch_is_the_same(self) -> None:
        assert {NIR, NIA, NIR_TEST, NIR_DEMO} == INS_OIDS
        assert Ins.check("1.2.250.1.213.1.4.13", "279035121518989")[0] is None


class TestForms:
    INS = Ins(NIR_TEST, "2790351215189")

    def test_are_those_of_the_specifications_when_the_ins_is_written(self) -> None:
        assert self.INS.cx == "279035121518989^^^&1.2.250.1.213.1.4.10&ISO^NH"
        assert (
            self.INS.cx_pam == "279035121518989^^^ASIP-SANTE-INS-NIR&1.2.250.1.213.1.4.10&ISO^INS"
        )
        assert self.INS.citizen_address == "279035121518989@patient.mssante.fr"
        assert self.INS.cda_id == ("1.2.250.1.213.1.4.10", "279035121518989")

    def test_name_the_authority_nia_when_the_number_is_a_waiting_one(self) -> None:
        nia = Ins(NIA, "1090763220888")
        assert "ASIP-SANTE-INS-NIA" in nia.cx_pam
        assert nia.fhir_identifier["use"] == "temp"

    @pytest.mark.parametrize("oid", sorted(INS_OIDS))
    @pytest.mark.parametrize("value", RIGHT)
    def test_are_read_back_when_they_were_written(self, oid: str, value: str) -> None:
        ins = Ins(oid, value[:13])
        assert Ins.from_cx(ins.cx) == ins
        assert Ins.from_cx(ins.cx_pam) == ins
        assert Ins.from_citizen_address(f"mailto:{ins.citizen_address}", oid) == ins
        identifier = ins.fhir_identifier
        assert ins_module.from_fhir(str(identifier["system"]), str(identifier["value"])) == (
            ins,
            [],
        )

    @pytest.mark.parametrize("cx", ["", "279035121518989", "x^^^&1.2.250.1.213.1.4.10&ISO^NH"])
    def test_are_none_when_the_cx_is_not_an_ins(self, cx: str) -> None:
        assert Ins.from_cx(cx) is None

    @pytest.mark.parametrize(
        "address",
        [
            "279035121518989@medecin.mssante.fr",
            "2790351215189@patient.mssante.fr",
            "patient.mssante.fr",
        ],
    )
    def test_are_none_when_the_address_is_no_citizens_mailbox(self, address: str) -> None:
        assert Ins.from_citizen_address(address) is None

    def test_say_so_when_the_fhir_system_is_not_a_urn(self) -> None:
        ins, faults = ins_module.from_fhir("https://example.org", "279035121518989")
        assert ins is None
        assert "urn:oid" in faults[0]

    def test_hide_the_matricule_when_the_ins_is_shown_in_a_log(self) -> None:
        assert "2790351215189" not in repr(self.INS)

    def test_differ_when_only_the_oid_differs(self) -> None:
        assert Ins(NIR, "2790351215189") != self.INS

    def test_cannot_be_made_when_the_parts_are_not_an_ins(self) -> None:
        with pytest.raises(ValueError, match=r"Ins\.check"):
            Ins(NIR, "279035121518989")
