"""A picture that a reader which is not ours reads back."""

import numpy as np
import pytest
import zxingcpp
from hypothesis import given, settings
from hypothesis import strategies as st
from lxml import etree
from ppf.datamatrix import DataMatrix

from services.ins.datamatrix_picture import MENTION, QUIET_ZONE, svg
from services.ins.domain.datamatrix import decode, encode
from services.ins.domain.person import RegisteredIns
from socle.ids.ins import INS_OIDS, ins_key
from socle.ids.traits import Traits

SVG = "{http://www.w3.org/2000/svg}"
names = st.from_regex(r"[A-Z]{1,12}([ '-][A-Z]{1,12}){0,6}", fullmatch=True)


def scan(picture: str) -> bytes:
    """What the reader sees on the drawing, module by module."""
    root = etree.fromstring(picture.encode())
    side = int(str(root.get("viewBox")).split()[2])
    path = root.find(f"{SVG}path")
    assert path is not None
    pixels = np.full((side, side), 255, dtype=np.uint8)
    for module in str(path.get("d")).split("M")[1:]:
        x, y = module.removesuffix("h1v1h-1z").split(" ")
        pixels[int(y), int(x)] = 0
    found = zxingcpp.read_barcodes(np.kron(pixels, np.ones((4, 4), dtype=np.uint8)))
    assert [one.format for one in found] == [zxingcpp.BarcodeFormat.DataMatrix]
    return bytes(found[0].bytes)


@pytest.fixture
def lovelace() -> str:
    ins = RegisteredIns("1.2.250.1.213.1.4.8", "1850575123456", "73")
    return encode(Traits("LOVELACE", "ADA", "F", "1815-12-10", "99100"), ins)


class TestPicture:
    def test_is_read_back_byte_for_byte_by_a_scanner(self, lovelace: str) -> None:
        assert scan(svg(lovelace)) == lovelace.encode("ascii")

    def test_bears_its_mention_and_a_quiet_zone(self, lovelace: str) -> None:
        root = etree.fromstring(svg(lovelace).encode())
        assert root.findtext(f"{SVG}text") == MENTION
        modules = len(DataMatrix(lovelace, codecs=["C40"]).matrix)
        assert str(root.get("viewBox")).split()[2] == str(modules + 2 * QUIET_ZONE)

    @settings(max_examples=60, deadline=None)
    @given(
        family=names,
        given_names=names,
        number=st.integers(0, 10**12 - 1),
        oid=st.sampled_from(sorted(INS_OIDS)),
        place=st.sampled_from(["", "63220", "2B020", "99109"]),
    )
    def test_carries_every_identity(
        self, family: str, given_names: str, number: int, oid: str, place: str
    ) -> None:
        matricule = f"1{number:012d}"
        ins = RegisteredIns(oid, matricule, ins_key(matricule))
        traits = Traits(family[:100], given_names[:100].rstrip(" '-"), "M", "1980-03-02", place)
        text = encode(traits, ins)
        read = scan(svg(text)).decode("ascii")
        assert read == text
        scanned, problems = decode(read)
        assert problems == []
        assert scanned is not None
        assert (scanned.traits, scanned.ins) == (traits, ins)
