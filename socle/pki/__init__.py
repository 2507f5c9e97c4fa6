"""The sandbox's own certification authority: it stands where IGC Santé stands in production."""

from socle.pki.ca import Credentials, SandboxCa

__all__ = ["Credentials", "SandboxCa"]
