"""What a name server is asked, and what may be believed of its answer (RFC 1035): IPv4 addresses only."""

import struct

from micropython import const

LONGEST_ANSWER_BYTES = const(512)  # RFC 1035, 2.3.4: over UDP
MOST_ADDRESSES = const(4)

_HEADER_BYTES = const(12)
_LONGEST_NAME_BYTES = const(255)
_LONGEST_LABEL_BYTES = const(63)
_POINTER = const(0xC0)
_RECURSION_DESIRED = const(0x0100)
_IS_ANSWER = const(0x8000)
_OPERATION = const(0x7800)
_TRUNCATED = const(0x0200)
_RESPONSE_CODE = const(0x000F)
_TYPE_A = const(1)
_TYPE_CNAME = const(5)
_CLASS_IN = const(1)
_QUESTION_END = b"\x00\x01\x00\x01"  # type A, class IN
_LONGEST_CHAIN = const(8)


class DnsError(Exception):
    """There is nothing to be had of this answer or name.

    `reason` is "name" none that can be asked for, "foreign" the answer to another question, "garbage", "truncated",
    "refused" by its response code, or "no_address".
    """

    def __init__(self, reason):
        super().__init__(reason)
        self.reason = reason


def query(identifier, name):
    """The question for the addresses of `name` (a text); `identifier` is 2 random bytes. Raises DnsError("name")."""
    wire = bytearray()
    labels = name[:-1] if name.endswith(".") else name
    for label in labels.encode().split(b"."):
        if not 1 <= len(label) <= _LONGEST_LABEL_BYTES:
            raise DnsError("name")
        wire.append(len(label))
        wire.extend(label)
    wire.append(0)
    if len(wire) > _LONGEST_NAME_BYTES:
        raise DnsError("name")
    return identifier + struct.pack(">5H", _RECURSION_DESIRED, 1, 0, 0, 0) + wire + _QUESTION_END


def read_answer(packet, question):
    """What `packet` answers to `question`, which query() made: a list of dotted quads, at most 4, and seconds to live.

    CNAMEs are followed within the packet. Raises DnsError, and nothing else, whatever the packet holds.
    """
    try:
        count = _check(packet, question)
        aliases, addresses = _records(packet, len(question), count)
    except (IndexError, ValueError):
        # It ends within a field.
        raise DnsError("garbage") from None
    return _follow(question[_HEADER_BYTES : -len(_QUESTION_END)].lower(), aliases, addresses)


def _check(packet, question):
    """The number of answers in `packet`, if it is the answer to `question`."""
    identifier, flags, questions, answers = struct.unpack_from(">4H", packet)
    asked = packet[_HEADER_BYTES : len(question)]
    if (
        identifier != struct.unpack_from(">H", question)[0]
        or not flags & _IS_ANSWER
        or flags & _OPERATION
        or questions != 1
        or asked.lower() != question[_HEADER_BYTES:].lower()
    ):
        raise DnsError("foreign")
    if flags & _TRUNCATED:
        raise DnsError("truncated")
    if flags & _RESPONSE_CODE:
        raise DnsError("refused")
    return answers


def _records(packet, at, count):
    """Aliases (name: name, seconds to live) and addresses (name: list of address, seconds) of `count` records."""
    aliases, addresses = {}, {}
    for _ in range(count):
        owner, at = _read_name(packet, at)
        kind, class_, ttl_s, length = struct.unpack_from(">HHIH", packet, at)
        at += 10
        if at + length > len(packet):
            raise DnsError("garbage")
        # RFC 2181, 8: with the first bit set it is none.
        ttl_s = 0 if ttl_s >> 31 else ttl_s
        if class_ == _CLASS_IN and kind == _TYPE_A:
            if length != 4:
                raise DnsError("garbage")
            if _is_unicast(packet[at]):
                addresses.setdefault(owner, []).append((_dotted_quad(packet, at), ttl_s))
        elif class_ == _CLASS_IN and kind == _TYPE_CNAME:
            target, end = _read_name(packet, at)
            if end != at + length:
                raise DnsError("garbage")
            aliases[owner] = (target, ttl_s)
        at += length
    return aliases, addresses


def _read_name(packet, at):
    """The name at `at`, uncompressed and in lower case, and where what stands behind it begins.

    A pointer must point before all that was read of the name, so a name has an end.
    """
    name = b""
    end = None
    before = at
    while True:
        length = packet[at]
        if length >= _POINTER:
            target = struct.unpack_from(">H", packet, at)[0] & 0x3FFF
            end = at + 2 if end is None else end
            if not _HEADER_BYTES <= target < before:
                raise DnsError("garbage")
            before = at = target
            continue
        if length > _LONGEST_LABEL_BYTES:
            raise DnsError("garbage")
        label = packet[at : at + 1 + length]
        if len(label) != 1 + length or len(name) + len(label) > _LONGEST_NAME_BYTES:
            raise DnsError("garbage")
        name += label
        at += 1 + length
        if not length:
            # The bytes of length are no letters, so they stay as they are.
            return name.lower(), at if end is None else end


def _follow(name, aliases, addresses):
    """The addresses of `name`, or of what it is an alias of, and how long all of that holds."""
    ttl_s = 0xFFFFFFFF
    for _ in range(_LONGEST_CHAIN):
        if name in addresses:
            found = addresses[name][:MOST_ADDRESSES]
            return [address for address, _ in found], min([ttl_s] + [seconds for _, seconds in found])
        if name not in aliases:
            break
        name, alias_ttl_s = aliases[name]
        ttl_s = min(ttl_s, alias_ttl_s)
    raise DnsError("no_address")


def _is_unicast(first_byte):
    # 0.0.0.0/8 is no destination, 224.0.0.0/3 multicast and reserved (RFC 6890).
    return 1 <= first_byte < 224


def _dotted_quad(packet, at):
    return "{}.{}.{}.{}".format(packet[at], packet[at + 1], packet[at + 2], packet[at + 3])
