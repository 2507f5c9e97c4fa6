"""The resources of the directory: what a client reads, whoever the person is."""

from fhir.resources.R4B import get_fhir_model_class

from services.mss.annuaire.domain.entries import Entry
from services.mss.annuaire.domain.index import index_of, key
from services.mss.annuaire.domain.population import drawn
from services.mss.annuaire.domain.professionals import entries_of
from services.mss.annuaire.domain.systems import HOLDERS, RPPS
from services.mss.annuaire.domain.telecom import Listed, with_mailboxes
from socle.ids.professionals import is_valid_rpps
from socle.people.official import official_people

DOMAIN = "socle.mssante.fr"
OFFICIAL = [entry for person in official_people() for entry in entries_of(person)]


def test_every_resource_is_one_of_fhir_with_its_mailboxes() -> None:
    """fhir.resources validates types, cardinalities and what has to be there."""
    synthetic, _ = drawn(3, 0, 200, DOMAIN)
    box = Listed("a@b.mssante.fr", "ORG", "Accueil", "x", "y", "z", red_listed=True, rank=1)
    for entry in [*OFFICIAL, *synthetic]:
        boxes = [box] if entry.kind in HOLDERS else []
        body = with_mailboxes(entry.body, boxes, restricted=True)
        get_fhir_model_class(entry.kind).model_validate(body)


def test_ids_are_distinct_and_always_the_same() -> None:
    first, boxes = drawn(3, 0, 300, DOMAIN)
    again, _ = drawn(3, 0, 300, DOMAIN)
    assert first == again
    places = {(entry.kind, entry.id): entry.body for entry in first}
    same: dict[tuple[str, str], Entry] = {}
    for entry in first:
        assert same.setdefault((entry.kind, entry.id), entry).national_id == entry.national_id
    practitioners = [entry for entry in first if entry.kind == "Practitioner"]
    assert len({entry.id for entry in practitioners}) == 300
    assert len(places) < len(first)  # colleagues share their structure
    assert len({box.address for box in boxes if box.kind == "PER"}) == 300


def test_colleagues_agree_on_their_structure() -> None:
    first, _ = drawn(5, 0, 2000, DOMAIN)
    seen: dict[str, object] = {}
    for entry in first:
        if entry.kind == "Organization" and entry.body.get("partOf"):
            told = (entry.body["name"], entry.body["address"][0]["postalCode"], entry.body["type"])
            assert seen.setdefault(entry.id, told) == told


def test_synthetic_numbers_are_well_formed_and_of_nobody() -> None:
    first, _ = drawn(3, 0, 100, DOMAIN)
    for entry in first:
        for identifier in entry.body["identifier"]:
            value, system = identifier["value"], identifier["system"]
            if entry.kind == "Practitioner" and system == RPPS:
                assert is_valid_rpps(value)
                assert value.startswith("997")
            if system == "https://finess.esante.gouv.fr":
                assert value[1] == "B"  # a letter there is a department of Corsica, or fictive


def test_those_without_rpps_are_not_in_the_public_directory() -> None:
    left_out = [p.SubjectNameID for p in official_people() if not list(entries_of(p))]
    assert sorted(left_out) == [
        "0999300017", "500000001815646/CPAT00045", "ANS20210107161422", "ANS20231122132732",
    ]  # fmt: skip


def test_tokens_tell_spaces_kinds_and_parameters_apart() -> None:
    [entry] = [one for one in OFFICIAL if one.national_id == "899700427885"]
    tokens = set(index_of("a", "Practitioner", entry.body).tokens)
    assert key("a", "Practitioner", "identifier", None, "99700427885") in tokens
    assert key("a", "Practitioner", "identifier", RPPS, "99700427885") in tokens
    assert key("a", "Practitioner", "identifier", RPPS, None) in tokens
    for other in (
        key("b", "Practitioner", "identifier", None, "99700427885"),
        key("a", "Organization", "identifier", None, "99700427885"),
        key("a", "Practitioner", "active", None, "99700427885"),
        key("a", "Practitioner", "identifier", "", "99700427885"),
    ):
        assert other not in tokens
