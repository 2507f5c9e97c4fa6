"""A rule file with its options: the programme as the file states it, or under other answers."""

from collections.abc import Mapping
from typing import Any

from services.usage.domain.rules.programme import Programme

_KEPT = 256  # programmes under other answers, remembered by book


class UnknownOption(ValueError):
    """An option or an alternative that the file does not have."""


class RuleBook:
    """One rule file, validated under each alternative of each option.

    Raises pydantic.ValidationError where the file, or the file under an alternative, breaks the
    form, and ValueError where an alternative changes a place that does not exist.
    """

    def __init__(self, raw: Any) -> None:
        self.raw = raw
        """As it was read: what a space's own file is kept as."""
        self.programme = Programme.model_validate(raw)
        self._under: dict[frozenset[tuple[str, str]], Programme] = {}
        for name, option in self.programme.options.items():
            for alternative, answer in option.alternatives.items():
                if answer.set:
                    self._keep(frozenset({(name, alternative)}))

    def under(self, answers: Mapping[str, str]) -> Programme:
        """The programme with these answers instead of the defaults.

        Raises UnknownOption for answers that the file does not have, or that do not go together.
        """
        patches = frozenset(
            (name, answer) for name, answer in answers.items() if self._alternative(name, answer)
        )
        if not patches:
            return self.programme
        if patches not in self._under:
            try:
                self._keep(patches)
            except ValueError as error:
                together = ", ".join(f"{name}: {answer}" for name, answer in sorted(patches))
                raise UnknownOption(f"these answers do not go together: {together}") from error
        return self._under[patches]

    def _keep(self, patches: frozenset[tuple[str, str]]) -> None:
        raw = _unshared(self.raw)
        for name, answer in sorted(patches):
            for pointer, value in self._alternative(name, answer).items():
                _put(raw, pointer, value)
        changed = Programme.model_validate(raw)
        if len(self._under) >= _KEPT:
            self._under.pop(next(iter(self._under)))
        self._under[patches] = changed

    def _alternative(self, name: str, answer: str) -> dict[str, Any]:
        """What an answer changes; nothing for a default."""
        option = self.programme.options.get(name)
        if option is None:
            known = ", ".join(self.programme.options) or "none"
            raise UnknownOption(f"no option {name}; known are {known}")
        if answer not in option.alternatives:
            known = ", ".join(option.alternatives)
            raise UnknownOption(f"option {name} has no alternative {answer}; it has {known}")
        return option.alternatives[answer].set


def _put(raw: Any, pointer: str, value: Any) -> None:
    """Replaces, adds or, by null, removes what a pointer names; what holds it must be there."""
    *way, last = pointer.removeprefix("/").split("/")
    place = raw
    for step in way:
        if not isinstance(place, dict) or step not in place:
            raise ValueError(f"an option sets {pointer}, and the file has no {step} on the way")
        place = place[step]
    if not isinstance(place, dict):
        raise ValueError(  # noqa: TRY004 (the file is at fault, not the type of an argument)
            f"an option sets {pointer}, where the file holds no mapping"
        )
    if value is None:
        place.pop(last, None)
    else:
        place[last] = _unshared(value)


def _unshared(raw: Any) -> Any:
    """A deep copy in which what YAML aliases share stands twice, so that a change is of one place."""
    if isinstance(raw, dict):
        return {key: _unshared(value) for key, value in raw.items()}
    if isinstance(raw, list):
        return [_unshared(value) for value in raw]
    return raw
