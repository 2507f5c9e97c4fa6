"""Reads ITI-105, Simplified Publish: a DocumentReference that holds its document.

Source: IHE MHD 4.2 §3.105, PDSm pdsm-simplified-publish.
"""

from typing import Any

from services.dmp.fhir.access import first, mapping
from services.dmp.fhir.bundle import Part, ProvideBundle, ProvidedDocument, decode
from socle.problems import Problem

SOURCE = "IHE MHD 4.2 §3.105.4.1.2"
PATH = "DocumentReference"


def read_simplified(value: Any) -> ProvideBundle:
    """As a bundle of one document whose submission set the registry makes."""
    bundle = ProvideBundle()
    resource = mapping(value)
    if resource.get("resourceType") != "DocumentReference":
        bundle.problems.append(
            Problem(
                "MHD-RESOURCE", PATH, "the body is no DocumentReference",
                "a DocumentReference with content[0].attachment.data", source=SOURCE,
            )
        )  # fmt: skip
        return bundle
    attachment = mapping(first(resource.get("content")).get("attachment"))
    path = f"{PATH}.content[0].attachment.data"
    content = decode(bundle, attachment.get("data"), path)
    if content is not None:
        # What is kept of the resource is its description: the bytes are kept once.
        bundle.documents.append(ProvidedDocument(Part(PATH, "", _without_data(resource)), content))
    return bundle


def _without_data(resource: dict[str, Any]) -> dict[str, Any]:
    first_content, *others = resource["content"]
    attachment = {key: it for key, it in first_content["attachment"].items() if key != "data"}
    return {**resource, "content": [{**first_content, "attachment": attachment}, *others]}
