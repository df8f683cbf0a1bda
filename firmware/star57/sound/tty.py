"""What a household with a TTY reads in place of what is said: the texts of the prompts, sent in one piece.

The texts are in texts.txt of the pack, beside the recordings: a name, a tab and a text a line.
"""

from micropython import const

from star57.sound.player import Signal, Silence, Text

# The words of TTY users: "go ahead" where an answer is wanted, "stop keying" at the end.
GO_AHEAD = "GA"
STOP_KEYING = "SK"

_TEXTS = "/texts.txt"
_COLUMNS = const(60)
# So many digits in a row are a telephone number, and not an amount or a time.
_NUMBER_DIGITS = const(3)


def tty_items(items, folders, ends=""):
    """The items to play on a TTY in place of `items`, a tuple. Allocates.

    folders: as a Player has them; the first with texts says what the prompts say; a prompt without a text is its name.
    ends: "", GO_AHEAD or STOP_KEYING, for the end of the last text.
    Tones stay, and what stands between them is one text, in lines of 60 columns.
    """
    texts = _texts(items, folders)
    played = []
    words = []
    for item in items:
        if isinstance(item, Signal):
            _end_text(played, words, texts)
            played.append(item)
        else:
            words.append(" " if isinstance(item, Silence) else item)
    if ends:
        words += [" ", ends]
    _end_text(played, words, texts)
    return tuple(played)


def _texts(items, folders):
    """The text of each prompt of the items, by name; the file is read a line at a time."""
    texts = {}
    for folder in folders:
        try:
            file = open(folder + _TEXTS)
        except OSError:
            continue
        with file:
            for line in file:
                name, _, text = line.partition("\t")
                if name in items:
                    texts[name] = text.strip()
        break
    return texts


def _end_text(played, words, texts):
    """Makes one text of the names in `words`, then empties it; a blank is a pause. Only a digit has one sign."""
    text = []
    digits = ""
    for word in words:
        if len(word) == 1:
            digits += word
        else:
            text += _digits(digits, texts)
            digits = ""
            text.append(texts.get(word, word))
    text += _digits(digits, texts)
    del words[:]
    lines = _lines(" ".join(text).split())
    if lines:
        # On a line of its own, whatever the TTY shows already.
        played.append(Text("\n" + "\n".join(lines)))


def _digits(digits, texts):
    """The words for digits with pauses among them: a telephone number in figures."""
    names = digits.split()
    if sum(len(name) for name in names) >= _NUMBER_DIGITS:
        return names
    return [texts.get(digit, digit) for name in names for digit in name]


def _lines(words):
    lines = []
    for word in words:
        if lines and len(lines[-1]) + 1 + len(word) <= _COLUMNS:
            lines[-1] += " " + word
        else:
            lines.append(word)
    return lines
