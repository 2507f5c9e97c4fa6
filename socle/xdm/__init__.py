"""IHE XDM archives (ITI TF-2 §3.32) as MSSanté carries them: built from CDA documents, taken apart."""

from socle.xdm.build import SourceDocument, build_archive
from socle.xdm.read import Package, PackedDocument, take_apart

__all__ = ["Package", "PackedDocument", "SourceDocument", "build_archive", "take_apart"]
