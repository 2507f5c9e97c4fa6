"""Rules of the programmes as dated data: their form, their files, their open questions."""

from services.usage.domain.rules.book import RuleBook, UnknownOption
from services.usage.domain.rules.figures import LOW, Amount, Confidence, Figure, Sourced, written
from services.usage.domain.rules.files import (
    RULES_FOLDER,
    RuleFileRefused,
    json_schema,
    load,
    read_book,
    shipped,
    sun_es,
)
from services.usage.domain.rules.programme import (
    Counted,
    Group,
    Indicator,
    Option,
    Programme,
    Target,
    Window,
)
from services.usage.domain.rules.software import SoftwareRule

__all__ = [
    "LOW",
    "RULES_FOLDER",
    "Amount",
    "Confidence",
    "Counted",
    "Figure",
    "Group",
    "Indicator",
    "Option",
    "Programme",
    "RuleBook",
    "RuleFileRefused",
    "SoftwareRule",
    "Sourced",
    "Target",
    "UnknownOption",
    "Window",
    "json_schema",
    "load",
    "read_book",
    "shipped",
    "sun_es",
    "written",
]
