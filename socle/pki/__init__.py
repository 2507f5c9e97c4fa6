"""The sandbox's own certification authority: it stands where IGC Santé stands in production."""

from socle.pki.ca import Credentials, SandboxCa
from socle.pki.issuing import IssuingCa

__all__ = ["Credentials", "IssuingCa", "SandboxCa"]
