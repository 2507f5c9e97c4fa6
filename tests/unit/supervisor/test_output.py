import io

import pytest

from socle.supervisor.output import LONGEST_LINE, Console, LineSplitter, stable_colours


class Terminal(io.BytesIO):
    def isatty(self) -> bool:
        return True


class TestConsole:
    def test_prefixes_are_aligned(self) -> None:
        output = io.BytesIO()
        console = Console(output, ["dmp", "gateway"], colour=False)
        console.line("dmp", b"one")
        console.line("gateway", b"two")
        assert output.getvalue().decode() == "dmp     │ one\ngateway │ two\n"

    def test_colours_when_on_a_terminal(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delenv("NO_COLOR", raising=False)
        output = Terminal()
        Console(output, ["dmp"]).line("dmp", b"one")
        assert output.getvalue().startswith(b"\x1b[38;5;")
        assert output.getvalue().endswith("│ \x1b[0mone\n".encode())

    def test_does_not_colour_when_no_color_is_set(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setenv("NO_COLOR", "1")
        output = Terminal()
        Console(output, ["dmp"]).line("dmp", b"one")
        assert b"\x1b" not in output.getvalue()

    def test_does_not_colour_when_not_on_a_terminal(self) -> None:
        output = io.BytesIO()
        Console(output, ["dmp"]).line("dmp", b"one")
        assert b"\x1b" not in output.getvalue()

    def test_drops_lines_when_the_reader_has_gone(self) -> None:
        output = io.BytesIO()
        output.close()
        Console(output, ["dmp"], colour=False).line("dmp", b"one")


class TestColours:
    def test_differ_when_names_are_fewer_than_colours(self) -> None:
        names = ["postgres", "psc", "ins", "dmp", "mss", "usage", "gateway", "socle"]
        assert len(set(stable_colours(names).values())) == len(names)

    def test_are_the_same_when_names_come_in_another_order(self) -> None:
        assert stable_colours(["a", "b", "c"]) == stable_colours(["c", "a", "b"])

    def test_suffice_when_names_are_many(self) -> None:
        assert len(stable_colours([f"worker-{n}" for n in range(50)])) == 50


class TestLineSplitter:
    def test_keeps_a_line_back_until_it_is_whole(self) -> None:
        lines = LineSplitter()
        assert lines.feed(b"one\ntw") == [b"one"]
        assert lines.feed(b"o\r\nthree") == [b"two"]
        assert lines.end() == [b"three"]
        assert lines.end() == []

    def test_does_not_hold_an_endless_line_in_memory(self) -> None:
        lines = LineSplitter()
        assert lines.feed(b"x" * (LONGEST_LINE + 1)) == [b"x" * (LONGEST_LINE + 1)]
        assert lines.end() == []

    def test_remembers_the_last_lines_only(self) -> None:
        lines = LineSplitter()
        lines.feed(b"".join(b"%d\n" % n for n in range(100)))
        assert list(lines.last) == [b"%d" % n for n in range(80, 100)]
