"""The routes of the directory."""

from services.mss.annuaire.api import control, fhir, patching, root

ROUTERS = (control.router, root.router, fhir.router, patching.router, fhir.others)
"""In this order: the last takes what the others have left."""
