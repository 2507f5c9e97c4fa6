"""The directory's extraction: what is read, what is refused and why, and the way back."""

import pytest

from services.psc.domain import rass
from socle.people.official import official_people
from socle.people.person import Person
from socle.people.population import population

HEADER = "|".join(rass.COLUMNS[:49]) + "|"


def line(*cells: str, **named: str) -> str:
    """A line by column name; `cells` are the first ones."""
    values = dict(zip(rass.COLUMNS, cells, strict=False)) | named
    return "|".join(values.get(name, "") for name in rass.COLUMNS[:49]) + "|"


DOCTOR = ("8", "99700427885", "899700427885", "DOC0042788", "KIT''")


def plain(person: Person) -> Person:
    """What the file has no column for."""
    return person.model_copy(update={"label": "", "enabled": True})


class TestColumns:
    def test_are_the_fifty_of_the_loader(self) -> None:
        assert len(rass.COLUMNS) == 50
        assert rass.COLUMNS[0] == "Type d'identifiant PP"
        assert rass.COLUMNS[12] == "Code civilité"
        assert rass.COLUMNS[28] == "Identifiant technique de la structure"
        assert rass.COLUMNS[48] == "Autorité d'enregistrement"


class TestRead:
    def test_lines_of_one_person_become_exercises_and_activities(self) -> None:
        own = {"Code profession": "10", "Code savoir-faire": "SM26"}
        found = rass.read(
            [
                "\ufeff" + HEADER + "\r\n",
                line(*DOCTOR, **own, **{"Code secteur d'activité": "SA07"}),
                line(*DOCTOR, **own, **{"Code secteur d'activité": "SA01"}),
                line(*DOCTOR, **{"Code profession": "60"}),
                "",
                line("0", "999300017", "0999300017", "PSY", "ALICE'MARIE'"),
            ]
        )
        assert found.problems == []
        doctor, other = found.people
        assert [len(exercise.activities) for exercise in doctor.exercices] == [2, 0]
        assert doctor.exercices[0].activities[1].codeSecteurDactivite == "SA01"
        assert (other.origine, other.given_name, other.exercices) == ("ADELI", "ALICE", ())

    def test_order_and_number_of_columns_do_not_matter(self) -> None:
        header = "Nom de famille|Identification nationale PP|Prénoms|Type d'identifiant PP"
        found = rass.read([header, "DOC|899700427885|KIT|8"])
        assert found.problems == []
        assert found.people[0].family_name == "DOC"

    def test_last_pipe_may_be_missing(self) -> None:
        assert rass.read([HEADER, line(*DOCTOR)[:-1]]).problems == []

    @pytest.mark.parametrize(
        ("cells", "where"),
        [
            (("8", "99700427885", "899700427886", "DOC", "KIT"), "/line/2/Identification"),
            (("8", "99700427886", "899700427886", "DOC", "KIT"), "/line/2"),  # Luhn
            (("8", "99700427885", "899700427885", "", "KIT"), "/line/2/family_name"),
            (("8", "99700427885", "899700427885", "DO\x07C", "KIT"), "/line/2/family_name"),
            (("9", "1", "91", "DOC", ""), "/line/2/given_name"),
        ],
    )
    def test_wrong_line_is_told_by_number_and_column(
        self, cells: tuple[str, ...], where: str
    ) -> None:
        found = rass.read([HEADER, line(*cells)])
        assert found.people == []
        assert found.problems[0].path.startswith(where)

    def test_two_names_for_one_person_are_refused(self) -> None:
        other = (*DOCTOR[:3], "AUTRE", "KIT")
        found = rass.read([HEADER, line(*DOCTOR), line(*other)])
        assert found.people == []
        assert "line 2" in found.problems[0].expected

    def test_cells_too_many_or_too_few_are_told(self) -> None:
        found = rass.read([HEADER, "8|1|2", line(*DOCTOR) + "x|y|"])
        assert [problem.path for problem in found.problems] == ["/line/2", "/line/3"]

    def test_header_is_needed(self) -> None:
        assert "missing" in rass.read(["a;b;c", "1;2;3"]).problems[-1].message
        assert rass.read([]).problems

    def test_a_flood_of_problems_is_cut(self) -> None:
        found = rass.read([HEADER, *(["x"] * 10_000)])
        assert len(found.problems) == rass.MAX_PROBLEMS
        assert found.rows == 10_000


class TestRoundTrip:
    def test_official_people_come_back(self) -> None:
        people = official_people()
        found = rass.read(rass.write(people))
        assert found.problems == []
        assert found.people == [plain(person) for person in people]

    def test_synthetic_people_come_back(self) -> None:
        people = list(population(7, 0, 500))
        assert rass.read(rass.write(people)).people == [plain(person) for person in people]

    def test_pipe_in_a_name_does_not_break_the_line(self) -> None:
        [person] = population(7, 0, 1)
        odd = person.model_copy(update={"family_name": "A|B"})
        assert rass.read(rass.write([odd])).people[0].family_name == "A/B"
