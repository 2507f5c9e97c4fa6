"""Numbers of people are no numbers of acts, whatever is written around them."""

import pytest

from services.usage.domain.acts import names_a_person

NIR = "279035121518989"


@pytest.mark.parametrize(
    ("identifier", "found"),
    [
        (NIR, True),
        (f"CR_{NIR}_v2", True),
        (f"1.2.250.1.999.1^{NIR}", True),
        (f"{NIR}.1", True),
        ("2 79 03 51 215 189 89", True),
        # An OID whose arcs have the key by chance, another key, and a longer number.
        (f"1.2.250.1.{NIR}", False),
        ("279035121518990", False),
        (f"{NIR}0", False),
        ("2.25.90295660200853783229979051238760373056", False),
    ],
)
def test_a_number_is_found_inside_an_identifier(identifier: str, found: bool) -> None:
    assert names_a_person(identifier) is found
