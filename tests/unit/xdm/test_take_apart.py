"""IHE_XDM.ZIP as others make it, and as nobody should."""

import base64
import io
import random
import shutil
import struct
import subprocess
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from socle.xdm import take_apart
from socle.xdm.layout import MAX_ENTRIES, MAX_UNPACKED_BYTES

from .archives import files_of, packed, right

METADATA = "IHE_XDM/SUBSET01/METADATA.XML"
DOCUMENT = "IHE_XDM/SUBSET01/DOC00001.XML"


def rules(archive: bytes) -> list[str]:
    return sorted({problem.rule for problem in take_apart(archive).problems})


def changed(change: Callable[[dict[str, bytes]], object]) -> bytes:
    files = files_of(right())
    change(files)
    return packed(files)


class TestRight:
    def test_gives_the_documents_and_their_set(self) -> None:
        package = take_apart(right())
        assert package.problems == []
        assert [document.path for document in package.documents] == [DOCUMENT]
        assert [one.source_id for one in package.sets] == ["1.2.250.1.999.1"]

    def test_is_read_whatever_the_case_and_the_slashes_are(self) -> None:
        files = {name.lower().replace("/", "\\"): it for name, it in files_of(right()).items()}
        package = take_apart(packed(files))
        assert len(package.documents) == 1
        assert {it.rule for it in package.problems} == {"XDM-NAME-CASE", "XDM-ZIP-BACKSLASH"}
        assert {it.severity for it in package.problems} == {"warning"}

    def test_is_read_when_its_uri_starts_below_the_root(self) -> None:
        """As the archives do that the ANS publishes for imaging."""
        archive = changed(lambda files: files.update(
            {METADATA: files[METADATA].replace(b">DOC00001.XML<", b">SUBSET01/DOC00001.XML<")}
        ))  # fmt: skip
        package = take_apart(archive)
        assert len(package.documents) == 1
        assert [(it.rule, it.severity) for it in package.problems] == [("XDM-URI", "warning")]

    def test_is_read_when_its_folders_are_listed_with_backslashes(self) -> None:
        """As .NET before 4.6.1 packs."""
        files = {name.replace("/", "\\"): it for name, it in files_of(right()).items()}
        package = take_apart(packed({"IHE_XDM\\": b"", "IHE_XDM\\SUBSET01\\": b"", **files}))
        assert len(package.documents) == 1
        assert {it.rule for it in package.problems} == {"XDM-ZIP-BACKSLASH"}

    @pytest.mark.parametrize("codec", ["utf-8-sig", "utf-16"])
    def test_is_read_when_its_metadata_start_with_a_mark(self, codec: str) -> None:
        archive = changed(lambda files: files.update(
            {METADATA: files[METADATA].decode().replace("UTF-8", codec[:6].rstrip("-")).encode(codec)}
        ))  # fmt: skip
        package = take_apart(archive)
        assert (package.problems, len(package.documents)) == ([], 1)

    def test_is_read_when_it_holds_two_sets(self) -> None:
        files = files_of(right())
        second = {name.replace("SUBSET01", "SUBSET02"): it for name, it in files.items()}
        package = take_apart(packed({**files, **second}))
        assert len(package.documents) == len(package.sets) == 2

    def test_is_read_when_its_paths_begin_with_a_dot(self) -> None:
        """As bsdtar packs the folder that it stands in."""
        package = take_apart(packed({f"./{name}": it for name, it in files_of(right()).items()}))
        assert len(package.documents) == 1
        assert {(it.rule, it.severity) for it in package.problems} == {("XDM-ZIP-DOT", "warning")}

    @pytest.mark.parametrize(
        "uri", [b"./DOC00001.XML", b"DOC00001%2EXML", b"/IHE_XDM/SUBSET01/DOC00001.XML"]
    )
    def test_is_read_whatever_the_form_of_its_uri(self, uri: bytes) -> None:
        archive = changed(lambda files: files.update(
            {METADATA: files[METADATA].replace(b">DOC00001.XML<", b">" + uri + b"<")}
        ))  # fmt: skip
        package = take_apart(archive)
        assert len(package.documents) == 1
        assert [(it.rule, it.severity) for it in package.problems] == [("XDM-URI", "warning")]

    def test_a_uri_that_leaves_the_folder_is_followed_nowhere(self) -> None:
        archive = changed(lambda files: files.update(
            {METADATA: files[METADATA].replace(b">DOC00001.XML<", b">%2E%2E/SUBSET01/DOC00001.XML<")}
        ))  # fmt: skip
        assert take_apart(archive).documents == []

    @pytest.mark.java
    def test_is_read_when_java_packed_it(self, tmp_path: Path) -> None:
        """With folders of their own, and sizes behind the data."""
        jar = shutil.which("jar")
        if jar is None:
            pytest.skip("no Java: install JDK 17 (Debian: openjdk-17-jdk-headless)")
        for path, content in files_of(right()).items():
            (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
            (tmp_path / path).write_bytes(content)
        command = [jar, "cfM", "packed.zip", "IHE_XDM", "INDEX.HTM", "README.TXT"]
        subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
        package = take_apart((tmp_path / "packed.zip").read_bytes())
        assert (package.problems, len(package.documents)) == ([], 1)


class TestWrong:
    @pytest.mark.parametrize(
        ("change", "expected"),
        [
            (lambda files: files.pop("INDEX.HTM"), ["XDM-LAYOUT"]),
            (lambda files: files.pop(METADATA), ["XDM-METADATA-MISSING"]),
            (lambda files: files.pop(DOCUMENT), ["XDM-DOCUMENT-MISSING"]),
            (lambda files: files.update({DOCUMENT: files[DOCUMENT] + b"\n"}), ["XDM-DOCUMENT-HASH", "XDM-DOCUMENT-SIZE"]),
            (lambda files: files.update({METADATA: b"<a"}), ["XDM-DOCUMENT-UNDESCRIBED", "XDM-METADATA-XML-SYNTAX"]),
            (lambda files: files.update({METADATA: b"<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"}), ["XDM-DOCUMENT-UNDESCRIBED", "XDM-METADATA-XML-DTD"]),
            (lambda files: files.update({METADATA: b"<a/>"}), ["XDM-DOCUMENT-UNDESCRIBED", "XDM-METADATA-ROOT"]),
            (lambda files: files.update({METADATA: files[METADATA].replace(b"URI", b"URL")}), ["XDM-DOCUMENT-UNDESCRIBED", "XDM-URI"]),
            (lambda files: files.update({"IHE_XDM/SUBSET01/DOC00002.XML": b"x"}), ["XDM-DOCUMENT-UNDESCRIBED"]),
            (lambda files: files.update({"../../etc/passwd": b"x"}), ["XDM-ZIP-PATH"]),
            (lambda files: files.update({"/etc/passwd": b"x"}), ["XDM-ZIP-PATH"]),
            (lambda files: files.update({"C:\\windows\\a": b"x"}), ["XDM-ZIP-BACKSLASH", "XDM-ZIP-PATH"]),
            (lambda files: files.update({"readme.txt": b"x"}), ["XDM-ZIP-DUPLICATE"]),
            (lambda files: files.update({f"XDM/{name}": files.pop(name) for name in list(files)}), ["XDM-LAYOUT"]),
        ],
    )  # fmt: skip
    def test_is_told_by_name(
        self, change: Callable[[dict[str, bytes]], object], expected: list[str]
    ) -> None:
        assert rules(changed(change)) == expected

    def test_never_shows_a_file_name_of_its_own(self) -> None:
        archive = changed(lambda files: files.update({"../DUPONT_PAUL.PDF": b"x"}))
        (problem,) = take_apart(archive).problems
        assert "DUPONT" not in f"{problem}"

    @pytest.mark.parametrize("content", [b"", b"PK", b"not a zip", b"PK\x05\x06" + bytes(17)])
    def test_is_no_archive(self, content: bytes) -> None:
        assert rules(content) == ["XDM-ZIP-UNREADABLE"]

    @pytest.mark.parametrize(
        ("content", "told"),
        [
            (b"7z\xbc\xaf\x27\x1c", "7-Zip"), (b"\x1f\x8b\x08", "gzip"), (right()[:-30], "cut short"),
            (base64.b64encode(right()), "base64 twice"),
        ],
    )  # fmt: skip
    def test_is_another_thing_and_told_which(self, content: bytes, told: str) -> None:
        (problem,) = take_apart(content).problems
        assert (problem.rule, told in problem.message) == ("XDM-ZIP-UNREADABLE", True)

    def test_is_empty(self) -> None:
        assert rules(packed({})) == ["XDM-ZIP-EMPTY"]

    def test_is_cut_short_anywhere(self) -> None:
        archive = right()
        for length in range(0, len(archive), 97):
            package = take_apart(archive[:length])
            assert package.problems
            assert package.documents == []

    @pytest.mark.parametrize("name", ["INDEX.HTM", "README.TXT", METADATA, DOCUMENT])
    def test_is_damaged_in_one_file_and_told_in_which(self, name: str) -> None:
        files = files_of(right())
        archive = bytearray(packed(files, zipfile.ZIP_STORED))
        archive[archive.index(files[name])] ^= 1
        assert ("XDM-ZIP-DAMAGED", f"/{name}") in [
            (problem.rule, f"/{problem.path.lstrip('/')}")
            for problem in take_apart(bytes(archive)).problems
        ]

    def test_is_damaged_anywhere(self) -> None:
        """Whatever bytes change, nothing is raised."""
        archive, draw = right(), random.Random(1)
        for _ in range(400):
            broken = bytearray(archive)
            for _ in range(draw.randint(1, 4)):
                broken[draw.randrange(len(broken))] = draw.randrange(256)
            take_apart(bytes(broken))


class TestHostile:
    def test_a_bomb_is_not_unpacked(self) -> None:
        files = files_of(right())
        files[DOCUMENT] = bytes(MAX_UNPACKED_BYTES + 1)
        archive = packed(files)
        del files
        tracemalloc.start()
        try:
            found = rules(archive)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()
        assert found == ["XDM-ZIP-TOO-LARGE"]
        assert peak < 2.5 * MAX_UNPACKED_BYTES

    def test_a_bomb_that_lies_about_its_size_is_not_either(self) -> None:
        files = files_of(right())
        files[METADATA] = bytes(20_000_000)
        archive = bytearray(packed(files))
        small = struct.pack("<L", 100)
        for start in _all(archive, struct.pack("<L", 20_000_000)):
            archive[start : start + 4] = small
        assert "XDM-ZIP-DAMAGED" in rules(bytes(archive))

    def test_thousands_of_files_are_not_listed(self) -> None:
        many = packed({f"IHE_XDM/{n}": b"" for n in range(MAX_ENTRIES + 1)})
        assert rules(many) == ["XDM-ZIP-ENTRIES"]

    def test_a_list_that_is_longer_than_its_count_is_not_read(self) -> None:
        many = bytearray(packed({f"IHE_XDM/{n:0200d}": b"" for n in range(5000)}))
        end = many.rindex(b"PK\x05\x06")
        many[end + 8 : end + 12] = struct.pack("<2H", 2, 2)
        assert rules(bytes(many)) == ["XDM-ZIP-ENTRIES"]

    def test_an_encrypted_file_is_named(self) -> None:
        archive = bytearray(right())
        for start in _all(archive, b"PK\x01\x02"):
            archive[start + 8] |= 1
        assert "XDM-ZIP-ENCRYPTED" in rules(bytes(archive))

    def test_another_compression_is_named(self) -> None:
        assert "XDM-ZIP-METHOD" in rules(packed(files_of(right()), zipfile.ZIP_BZIP2))

    def test_an_archive_in_the_archive_is_not_opened(self) -> None:
        inner = right()
        assert "XDM-NESTED" in rules(changed(lambda files: files.update({DOCUMENT: inner})))

    def test_metadata_of_a_million_elements_are_bounded(self) -> None:
        deep = b"<a>" * 100_000
        assert "XDM-METADATA-XML-SYNTAX" in rules(changed(lambda f: f.update({METADATA: deep})))
        wide = b"<a>" + b"<b/>" * 2_000_000 + b"</a>"
        assert "XDM-ZIP-TOO-LARGE" in rules(changed(lambda f: f.update({METADATA: wide})))

    def test_a_zip64_is_named(self) -> None:
        out = io.BytesIO(right())
        archive = out.getvalue()
        end = archive.rindex(b"PK\x05\x06")
        locator = b"PK\x06\x07" + struct.pack("<LQL", 0, 0, 1)
        assert rules(archive[:end] + locator + archive[end:]) == ["XDM-ZIP-ZIP64"]


def _all(content: bytes | bytearray, mark: bytes) -> list[int]:
    found, start = [], content.find(mark)
    while start >= 0:
        found.append(start)
        start = content.find(mark, start + 1)
    return found
