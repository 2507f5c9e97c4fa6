from typing import get_args

import pytest

from socle.cda.valuesets import (
    ValueSetName,
    class_of,
    display_of,
    fallback_format,
    formats_by_media_type,
    formats_by_template,
    value_set,
)


class TestValueSets:
    @pytest.mark.parametrize("name", get_args(ValueSetName))
    def test_say_where_they_come_from_and_of_which_date(self, name: ValueSetName) -> None:
        loaded = value_set(name)
        assert loaded.source
        assert loaded.revision
        assert loaded.oid.startswith("1.2.250.1.")
        assert loaded.concepts

    def test_give_only_known_classes_to_types(self) -> None:
        classes = value_set("document_classes")
        for concept in value_set("document_types").concepts.values():
            named = concept.extra.get("class")
            assert named is None or named in classes

    def test_point_at_codes_of_the_set_when_a_code_is_absent(self) -> None:
        types = value_set("document_types")
        for code, instead in types.absent.items():
            assert code not in types
            assert instead in types

    def test_give_class_label_and_format(self) -> None:
        found = class_of("57833-6")
        assert found is not None
        assert found.code == "42"
        assert class_of("15508-5") is None
        assert class_of("unknown") is None
        assert display_of("facility_types", "SA25") == "Laboratoire de biologie médicale"
        assert display_of("facility_types", "SA99") == ""
        assert formats_by_media_type()["application/pdf"].code == "urn:ihe:iti:xds-sd:pdf:2008"
        assert formats_by_template()["1.2.250.1.213.1.1.1.13"].code == "urn:asip:ci-sis:vsm:2012"
        assert fallback_format().code in value_set("formats")
