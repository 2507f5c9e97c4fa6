import pytest

from socle.supervisor import ProcessSpec, RestartPolicy, Supervisor


def spec(name: str, *after: str) -> ProcessSpec:
    return ProcessSpec(name, ["true"], after=after)


class TestSpecs:
    def test_are_refused_when_two_have_one_name(self) -> None:
        with pytest.raises(ValueError, match="more than one process is named dmp"):
            Supervisor([spec("dmp"), spec("dmp")])

    def test_are_refused_when_one_waits_for_an_unknown_process(self) -> None:
        with pytest.raises(ValueError, match="dmp waits for databse"):
            Supervisor([spec("database"), spec("dmp", "databse")])

    def test_are_refused_when_they_wait_for_one_another(self) -> None:
        with pytest.raises(ValueError, match="wait for one another: dmp, ins"):
            Supervisor([spec("database"), spec("dmp", "ins"), spec("ins", "dmp", "database")])

    def test_are_refused_when_a_readiness_url_is_not_http(self) -> None:
        with pytest.raises(ValueError, match="https://localhost/readyz"):
            Supervisor([ProcessSpec("dmp", ["true"], ready_url="https://localhost/readyz")])


class TestRestartPolicy:
    def test_delay_doubles_up_to_its_bound(self) -> None:
        policy = RestartPolicy(first_delay=0.5, longest_delay=3)
        assert [policy.delay_after(n) for n in (1, 2, 3, 4, 5)] == [0.5, 1.0, 2.0, 3, 3]

    def test_delay_stays_bounded_when_a_process_has_failed_for_days(self) -> None:
        assert RestartPolicy().delay_after(1_000_000) == RestartPolicy().longest_delay
