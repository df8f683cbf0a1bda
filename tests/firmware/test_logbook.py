"""The log: what is told to the board, and what is kept for the host."""

from star57.logbook import LogBook


class Board:
    def __init__(self):
        self.told = []

    def log(self, text):
        self.told.append(text)


def test_a_line_goes_to_the_board_at_once_and_is_kept():
    board = Board()
    book = LogBook(board)
    book.log("one")
    book.log("two\nthree\n")
    assert board.told == ["one", "two\nthree\n"]
    assert book.lines == 3
    assert book.since(0, 16) == (0, ["one", "two", "three"])
    assert book.since(1, 1) == (1, ["two"])
    assert book.since(3, 16) == (3, [])
    assert book.since(9, 16) == (3, [])


def test_old_lines_make_room_and_long_ones_are_cut():
    book = LogBook(Board())
    for number in range(100):
        book.log("{:03} {}".format(number, "x" * 200))
    first, lines = book.since(0, 100)
    assert first == 68
    assert len(lines) == 32
    assert lines[0][:3] == "068"
    assert {len(line) for line in lines} == {100}
