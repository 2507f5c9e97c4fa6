"""A person as the national register behind INSi knows them."""

from dataclasses import dataclass, field

from socle.ids.traits import Traits


@dataclass(frozen=True, slots=True)
class RegisteredIns:
    """A matricule with its key and OID, kept as they were given.

    Official test people carry wrong keys, which must be answered verbatim (spec: ins.md §5),
    so the key is held and not computed.
    """

    oid: str
    matricule: str = field(repr=False)
    key: str = field(repr=False)
    valid_from: str = ""
    valid_to: str = ""


@dataclass(frozen=True, slots=True)
class Person:
    """`other_family_names` are spellings under which the register finds the person as well.

    `insured` is the matricule of whoever the person is a beneficiary of, on the Vitale card: empty
    for their own card. `birth_rank` tells twins apart on it, from 1.
    """

    traits: Traits
    active: RegisteredIns
    history: tuple[RegisteredIns, ...] = ()
    other_family_names: tuple[str, ...] = ()
    cnda_tests: tuple[str, ...] = ()
    insured: str = field(default="", repr=False)
    birth_rank: int = 1
