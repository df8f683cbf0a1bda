"""A service at the other end of a carrier, as far as signed messages go: reads what is asked, signs what it answers."""

import json
from binascii import a2b_base64, b2a_base64

from star57.link.signed import Signer

ADAPTER_ID = "adapter-1"
KEY = bytes(range(32))


def encoded(data):
    return b2a_base64(data, newline=False).rstrip(b"=").replace(b"+", b"-").replace(b"/", b"_")


def decoded(text):
    return a2b_base64(text.replace(b"-", b"+").replace(b"_", b"/") + b"=" * (-len(text) % 4))


def signed(header, payload, key=KEY):
    text = encoded(header) + b"." + encoded(payload)
    return text + b"." + encoded(Signer(ADAPTER_ID, key)._signature(text))


def answer(sequence, payload, key=KEY, adapter_id=ADAPTER_ID, kind="answer"):
    """The signed message of an answer; `payload` bytes, or what json.dumps takes."""
    if not isinstance(payload, bytes):
        payload = json.dumps(payload).encode()
    header = '{{"alg":"HS256","typ":"{}","kid":"{}","seq":{}}}'.format(kind, adapter_id, sequence)
    return signed(header.encode(), payload, key)


def read(token, key=KEY):
    """Header and payload, dicts, of an ask whose signature is right."""
    head, body, signature = token.split(b".")
    assert decoded(signature) == Signer(ADAPTER_ID, key)._signature(head + b"." + body)
    return json.loads(decoded(head)), json.loads(decoded(body))


def refusal(reason, newest=None):
    return json.dumps({"message": "refusal", "reason": reason, "newest_sequence": newest}).encode()


class Carrier:
    """A carrier to a service that behaves as `script` says, a word a post; the last word is for ever.

    A word is an error, (status, body), or a function of the sequence number and the message asked that gives either.
    """

    timeout_ms = 50

    def __init__(self, *script, name="network"):
        self.name = name
        self.script = list(script)
        self.asked = []
        self.sequences = []
        self.distrusted = 0

    def distrust(self):
        self.distrusted += 1

    async def post(self, body):
        header, message = read(body)
        self.asked.append(message)
        self.sequences.append(header["seq"])
        word = self.script.pop(0) if len(self.script) > 1 else self.script[0]
        if callable(word):
            word = word(header["seq"], message)
        if isinstance(word, Exception):
            raise word
        return word


class Counted:
    """Sequence numbers without flash."""

    def __init__(self, first=1):
        self.following = first

    def next(self):
        self.following += 1
        return self.following - 1

    def go_on_behind(self, newest):
        self.following = max(self.following, newest + 1)
