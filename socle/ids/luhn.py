"""The check digit of ISO/IEC 7812-1, which RPPS, SIREN, SIRET and FINESS share."""

_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def passes_luhn(digits: str) -> bool:
    """True when `digits`, check digit last, sum to a multiple of ten."""
    if not (digits.isascii() and digits.isdigit()):
        return False
    total = sum(
        _DOUBLED[int(digit)] if rank % 2 else int(digit)
        for rank, digit in enumerate(reversed(digits))
    )
    return total % 10 == 0


def luhn_digit(digits: str) -> str:
    """The check digit to put after `digits`."""
    if not (digits.isascii() and digits.isdigit()):
        raise ValueError("only digits have a check digit")
    return next(last for last in "0123456789" if passes_luhn(digits + last))
