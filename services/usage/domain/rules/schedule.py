"""In which steps a programme pays what it owes (spec: usage.md §2.4: not found for SUN-ES)."""

from typing import Literal

from services.usage.domain.rules.figures import Amount, Sourced


class PaymentStep(Sourced):
    """The last step of a programme pays what the ones before it left, whatever its share says."""

    share: Amount
    """Per cent of the whole."""
    due: Literal["depose", "instruit", "valide"]
    """From which state of the attestation on."""
