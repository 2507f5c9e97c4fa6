"""The rules of MSSanté held against a mail that came in: pure, one module a family.

A rule is a function from the mail to findings, or to None where it does not apply. What each rule
rests on stands beside it: nearly everything is known at second hand (spec: mss.md §0, §1.2).
"""

from services.mss.domain.lint.report import Report, lint

__all__ = ["Report", "lint"]
