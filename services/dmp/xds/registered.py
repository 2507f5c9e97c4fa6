"""Folders and relations of what is registered, as ebRIM (ITI TF-3 §4.2.2.2, §4.2.3.4)."""

from lxml import etree

from services.dmp.folder_repository import StoredFolder
from services.dmp.repository import StoredAssociation
from socle.xds import names
from socle.xds.entry import add_slot, add_text, rim
from socle.xds.sets import write_package


def write_folder(parent: etree._Element, found: StoredFolder) -> None:
    folder = found.folder
    element, writer = write_package(parent, found.id)
    add_slot(element, "lastUpdateTime", (found.updated,))
    add_text(element, "Name", folder.title)
    add_text(element, "Description", folder.comments)
    writer.node(names.FOLDER_NODE)
    for code in folder.codes:
        writer.code(names.FOLDER_CODES, code)
    writer.external(names.FOLDER_PATIENT, folder.patient_id, "XDSFolder.patientId")
    writer.external(names.FOLDER_UNIQUE_ID, folder.unique_id, "XDSFolder.uniqueId")


def write_relation(parent: etree._Element, found: StoredAssociation) -> None:
    identifier = f"urn:uuid:{found.id}"
    rim(
        parent,
        "Association",
        id=identifier,
        lid=identifier,
        objectType=names.ASSOCIATION,
        associationType=names.RELATION_URIS[found.kind],
        sourceObject=f"urn:uuid:{found.source}",
        targetObject=f"urn:uuid:{found.target}",
        status=names.STATUSES["Approved"],
    )
