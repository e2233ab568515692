"""Following a log over rotations, as Supervisor does them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr.hosts.local_log import GAP, FollowedLog, tail

EVERYTHING = 10**9


class Log:
    """A log with some backups, three unless told."""

    def __init__(self, folder: Path, backups: int = 3) -> None:
        self.path = folder / "log"
        self._names = [self.path, *(folder / f"log.{number + 1}" for number in range(backups))]

    def say(self, text: str | bytes) -> None:
        with self.path.open("ab") as file:
            file.write(text.encode() if isinstance(text, str) else text)

    def rotate(self) -> None:
        for former, name in reversed(list(zip(self._names, self._names[1:], strict=False))):
            if former.exists():
                former.replace(name)
        self.path.touch()

    @contextmanager
    def followed(self, length: int = EVERYTHING) -> Iterator[FollowedLog]:
        reader = FollowedLog(self.path, length)
        try:
            yield reader
        finally:
            reader.close()


@pytest.fixture
def log(tmp_path: Path) -> Log:
    return Log(tmp_path)


def everything(reader: FollowedLog) -> bytes:
    """All that has come by now."""
    return b"".join(iter(reader.read, b""))


def test_a_log_that_is_not_there_yet_is_read_from_its_beginning(log: Log) -> None:
    with log.followed() as reader:
        assert reader.read() == b""
        log.say("one\n")
        assert everything(reader) == b"one\n"
        assert reader.read() == b""


def test_it_begins_with_the_line_in_which_the_last_bytes_begin(log: Log) -> None:
    log.say("first\nsecond\nthird\n")
    for length, expected in [
        (0, b""),
        (1, b"third\n"),
        (6, b"third\n"),
        (7, b"second\nthird\n"),
        (18, b"first\nsecond\nthird\n"),
    ]:
        with log.followed(length) as reader:
            assert everything(reader) == expected, length


def test_the_beginning_may_lie_in_what_was_rotated_away(log: Log) -> None:
    log.say("first\nsecond\n")
    log.rotate()
    log.say("third\n")
    with log.followed(8) as reader:
        assert everything(reader) == b"second\nthird\n"
    with log.followed(6) as reader:
        assert everything(reader) == b"third\n"


@pytest.mark.parametrize("cut", range(1, 9))
def test_it_never_begins_inside_a_character(log: Log, cut: int) -> None:
    # No line for longer than anybody looks back.
    log.say("ü" * 50_000 + "€😀")
    with log.followed(cut) as reader:
        assert "�" not in everything(reader).decode(errors="replace")


def test_nothing_is_lost_or_doubled_over_rotations(log: Log) -> None:
    log.say("one\n")
    with log.followed() as reader:
        assert everything(reader) == b"one\n"
        # Written after the last look, before the rotation.
        log.say("two\n")
        log.rotate()
        log.say("three\n")
        assert everything(reader) == b"two\nthree\n"
        # Two rotations between two looks.
        log.say("four\n")
        log.rotate()
        log.say("five\n")
        log.rotate()
        log.say("six\n")
        assert everything(reader) == b"four\nfive\nsix\n"


def test_while_a_rotation_goes_on_there_is_no_file_of_that_name(log: Log) -> None:
    log.say("one\n")
    with log.followed() as reader:
        assert everything(reader) == b"one\n"
        log.path.replace(log.path.with_name("log.1"))
        assert reader.read() == b""
        log.say("two\n")
        assert everything(reader) == b"two\n"


def test_an_emptied_log_goes_on_from_its_beginning(log: Log) -> None:
    log.say("something long\n")
    with log.followed() as reader:
        everything(reader)
        log.path.write_text("new\n")
        assert everything(reader) == b"new\n"


def test_a_closed_reader_has_no_file_open_and_nothing_to_tell(log: Log) -> None:
    log.say("one\n")
    log.rotate()
    log.say("two\n")
    before = open_files(log)
    with log.followed() as reader:
        assert len(open_files(log)) == len(before) + 2
        reader.close()
        assert open_files(log) == before


def open_files(log: Log) -> list[str]:
    links = [path.readlink() for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return sorted(str(link) for link in links if str(link).startswith(str(log.path.parent)))


@pytest.mark.parametrize("backups", [1, 2, 3])
def test_what_may_be_missing_after_many_rotations_is_said(tmp_path: Path, backups: int) -> None:
    log = Log(tmp_path, backups)
    log.say("one\n")
    with log.followed() as reader:
        assert everything(reader) == b"one\n"
        log.say("two\n")
        for number in range(backups + 3):
            log.rotate()
            log.say(f"later {number}\n")
        heard = everything(reader).decode()
    kept = "".join(f"later {number}\n" for number in range(2, backups + 3))
    assert heard == "two\n" + GAP.decode() + kept


@given(
    st.lists(st.sampled_from(["say", "rotate", "read"]), max_size=30),
    st.integers(min_value=1, max_value=3),
)
def test_any_order_of_writing_rotating_and_reading_gives_every_line_once(
    tmp_path_factory: pytest.TempPathFactory, steps: list[str], backups: int
) -> None:
    log = Log(tmp_path_factory.mktemp("log"), backups)
    log.path.touch()
    said = heard = b""
    rotations, may_lack = 0, False
    with log.followed() as reader:
        for number, step in enumerate([*steps, "read"]):
            if step == "say":
                said += b"line %d\n" % number
                log.say(b"line %d\n" % number)
            elif step == "read":
                now = everything(reader)
                may_lack |= GAP in now
                assert (GAP in now) == (rotations > backups)
                heard += now.replace(GAP, b"")
                rotations = 0
            else:
                log.rotate()
                rotations += 1
    assert heard == said or may_lack
    # Whatever was heard was said, in this order, and once.
    rest = iter(said.splitlines())
    assert all(line in rest for line in heard.splitlines())


@given(
    st.lists(st.text("aü€😀", max_size=5), min_size=1, max_size=3),
    st.integers(min_value=1, max_value=50),
)
def test_a_tail_reaches_back_over_rotations_and_cuts_no_character(
    tmp_path_factory: pytest.TempPathFactory, parts: list[str], length: int
) -> None:
    log = Log(tmp_path_factory.mktemp("log"))
    for part in parts:
        log.rotate()
        log.say(part)
    whole = "".join(parts).encode()
    found = tail(log.path, length)
    assert found == whole[len(whole) - len(found) :]
    assert found.decode() or length < 4 or not whole
    assert len(found) > min(length, len(whole)) - 4


def test_a_rotation_that_is_under_way_hides_nothing(log: Log) -> None:
    log.say("one\n")
    log.rotate()
    log.say("two\n")
    with log.followed() as reader:
        assert everything(reader) == b"one\ntwo\n"
        log.say("three\n")
        log.rotate()
        # The next one has moved the backups, and not yet the log.
        for number in (2, 1):
            log.path.with_name(f"log.{number}").replace(log.path.with_name(f"log.{number + 1}"))
        log.say("four\n")
        assert everything(reader) == b"three\nfour\n"
