"""The most likely message that a burst can have been, by grammar and checksum (GR-30, EN 300 659-3).

Costs are in eighths of a nat (characters.NAT): how much less likely one reading is than another.
"""

from array import array

from micropython import const

from star57.callerid import message
from star57.callerid.framing import NTT_DLE, NTT_ETX, NTT_HEADER, NTT_SHORTEST, even_parity, ntt_crc
from star57.dsp.characters import ALTERNATIVES, MOST_COST, NAT

_IMPOSSIBLE = MOST_COST
_UNUSUAL = const(24)  # a byte that may be anything, and of which nothing tells that it is right
_UNKNOWN_TYPE = const(80)
_RARE_TYPE = const(32)
# Date and time, number, name, or why they are absent; the visual indicator of message waiting, which is one of two.
_COMMON_TYPES = b"\x01\x02\x04\x07\x08\x0b"
_ODD_TEXT = const(12)
_ODD_NUMBER = const(48)
_LATIN = const(40)
_REASON_FOR_NUMBER = const(8)
_UNEXPLAINED = const(48)  # a character behind the message's end
_MOST_FOLLOWING = const(4)
# What is less likely than this, in eighths of a nat, is not tried: a type or length; another byte; another message.
_MOST_STRUCTURAL = const(64)
_MOST_DEVIATION = const(192)
_MOST_MARGIN = const(128)
_MOST_STARTS = const(12)
_MOST_SOLVED = const(2)  # messages, the likeliest by their type and length
_MOST_OF_HEADER = const(64)  # what these two may cost
_TOLD_FROM = const(14)
_FEWEST_OF_HEADER = const(4)
_LIKELY = const(40)  # 5 nats above the likeliest
_MOST_DEVIATIONS = const(48)
_POSITIONS_A_STEP = const(8)
_HEADER = const(2)
_SDMF_CALL = const(0x04)
_SDMF_WAITING = const(0x06)
_SDMF_SHORTEST = const(9)
_DATE_TIME_LENGTH = const(8)
_SDMF = (_SDMF_CALL, _SDMF_WAITING)
_TYPES = b"\x04\x06\x80\x82\x81\x86\x89"
_RARE_MESSAGES = b"\x81\x86\x89"  # test, advice of charge, short message
_RARE_MESSAGE = const(24)
_REASONS = message.REASONS.encode()

# What a byte that fits speaks for a message, rather than for any bytes: 256 are possible, so many would have fitted.
_CREDIT_OF_CLASS = (0, 28, 24, 32, 16)  # any, date, number, reason, text
_CREDIT_OF_STRUCTURE = const(24)  # a type, or a parameter's length
_CREDIT_OF_FIXED = const(36)  # nothing else would have fitted, or one other value

_CLASSES = const(5)
_NOT_YET = const(0xFFFF)
_BEST = const(0)
_SECOND = const(1)


class Reading:
    """A message and how sure it is.

    data: from the type to the checksum
    cost_nats: what noise and grammar say against it
    margin_nats: by how much the next best message is less likely
    evidence_nats: by how much bytes that are no message are less likely
    repaired: whether it holds a byte that was not the likeliest by itself
    first: the character that it begins with
    ended: the sample that it ended at, by who reads the burst
    is_ntt: a frame of NTT's, from DLE SOH to the CRC
    """

    def __init__(self, data, first, cost, margin, credit, repaired, is_ntt=False):
        self.data = data
        self.is_ntt = is_ntt
        self.first = first
        self.ended = 0
        self.cost_nats = cost / NAT
        self.margin_nats = margin / NAT
        self.evidence_nats = (credit - cost) / NAT
        self.repaired = repaired


def characters_wanted(values, costs, most):
    """How many characters, `most` at most, the likely messages need, told from the first fourteen."""
    if _has_ntt_header(values):
        return most
    hypotheses = sorted(_Burst(values, costs, most).beginnings(_TOLD_FROM))
    wanted = 0
    for cost, first, _, length in hypotheses:
        if cost > hypotheses[0][0] + _LIKELY:
            break
        wanted = max(wanted, first + length + 3)
    return min(most, wanted)


def _has_ntt_header(values):
    """Whether four of its five bytes are the likeliest where a frame may begin."""
    for first in range(_TOLD_FROM - len(NTT_HEADER) + 1):
        found = 0
        for k in range(len(NTT_HEADER)):
            found += values[(first + k) * ALTERNATIVES] == NTT_HEADER[k]
        if found >= _FEWEST_OF_HEADER:
            return True
    return False


def steps(values, costs, count, follows):
    """Looks for the best Reading of `count` characters: yields None between steps, and at last the Reading, if any.

    values, costs: of each character its ALTERNATIVES likeliest values, and what each costs, from 0
    follows: for each character, whether one was found where it is

    None is looked for that costs 32 nats before its checksum is made right: what noise has taken is soon given up.
    """
    burst = _Burst(values, costs, count, follows)
    hypotheses = burst.hypotheses()
    yield None
    best = None
    second_cost = 0
    for hypothesis in sorted(hypotheses)[:_MOST_SOLVED]:
        if best is not None and hypothesis[0] > best[0] + _MOST_MARGIN:
            break
        for found in burst.solve(hypothesis):
            if found is None:
                yield None
            elif best is None:
                best, second_cost = found, found[1]
            else:
                dearer = found if found[0] >= best[0] else best
                best = best if dearer is found else found
                second_cost = min(second_cost, found[1], dearer[0])
    if best is not None:
        cost, _, data, repaired, credit, first = best
        yield Reading(data, first, cost, min(_MOST_MARGIN, second_cost - cost), credit, repaired)


def read_ntt(values, costs, count):
    """The Reading of the NTT frame in `count` characters, or None: of each the likeliest value of even parity."""
    for first in range(min(_MOST_STARTS, count - NTT_SHORTEST + 1)):
        frame = _ntt_frame(values, costs, first, count)
        if frame is not None:
            data, cost, repaired = frame
            return Reading(data, first, cost, _MOST_MARGIN, _CREDIT_OF_FIXED * len(data), repaired, True)
    return None


def _ntt_frame(values, costs, first, count):
    """(bytes, cost, whether repaired) of the frame that begins with that character, or None."""
    data = bytearray()
    cost = crc = 0
    escaped = False
    left = -1  # bytes of the CRC that are to come, once it has begun
    for character in range(first, count):
        at = character * ALTERNATIVES
        if left < 0:
            while costs[at] < MOST_COST and not even_parity(values[at]):
                at += 1
                if at == (character + 1) * ALTERNATIVES:
                    return None
        value = values[at]
        place = len(data)
        if place < len(NTT_HEADER) and value != NTT_HEADER[place]:
            return None
        data.append(value)
        cost += costs[at]
        if place >= 2:
            crc = ntt_crc(crc, value)
        if left > 0:
            left -= 1
            if left == 0:
                return (bytes(data), cost, cost > 0) if crc == 0 else None
        elif place >= len(NTT_HEADER):
            plain = value & 0x7F
            if escaped and plain == NTT_ETX:
                left = 2
            escaped = plain == NTT_DLE and not escaped
    return None


def _content_cost(content, place, length, value):
    """What it costs that `value` stands at `place` of a parameter of that class and length."""
    if content == message.CLASS_NUMBER and 0x30 <= value <= 0x39:
        return 0
    if not message.byte_fits(content, place, value):
        return _IMPOSSIBLE
    if content == message.CLASS_NUMBER:
        return _number_cost(length, value)
    if content == message.CLASS_TEXT:
        return _text_cost(value)
    return _UNUSUAL if content == message.CLASS_ANY else 0


def _number_cost(length, value):
    if 0x30 <= value <= 0x39:
        return 0
    if value in _REASONS:
        return _REASON_FOR_NUMBER if length == 1 else _IMPOSSIBLE
    return _ODD_NUMBER


def _text_cost(value):
    if 0x41 <= value <= 0x5A or value == 0x20:
        return 0
    return _LATIN if value >= 0xA0 else _ODD_TEXT


class _Burst:
    def __init__(self, values, costs, count, follows=None):
        self._values = values
        self._costs = costs
        self._count = count
        self._follows = follows
        # The least that a character costs in each class, wherever in a parameter it stands.
        self._least = array("H", [_NOT_YET] * (count * _CLASSES))
        self._structures = [None] * count
        self._deviations = _Deviations()

    def beginnings(self, count):
        """(cost, first character, type, length) of what a message may begin with among `count` characters."""
        found = []
        for first in range(min(_MOST_STARTS, count - _HEADER + 1)):
            for cost_type, message_type in self._structural(first):
                if message_type not in _TYPES:
                    continue
                rarity = _RARE_MESSAGE if message_type in _RARE_MESSAGES else 0
                for cost_length, length in self._structural(first + 1):
                    cost = cost_type + rarity + cost_length
                    if cost <= _MOST_OF_HEADER and 3 <= length <= self._count - first - 3:
                        found.append((cost, first, message_type, length))
        return found

    def hypotheses(self):
        """The same, each charged with the characters that follow the message."""
        return [
            (cost + _UNEXPLAINED * self._following(first + length + 3), first, message_type, length)
            for cost, first, message_type, length in self.beginnings(self._count)
        ]

    def solve(self, hypothesis):
        """Steps that find the best that begins so.

        Yields None between them, and at last (cost, that of the next best, bytes, whether repaired, credit, first), if
        there is one that costs little enough.
        """
        cost, first, message_type, length = hypothesis
        parts = None
        if message_type in _SDMF:
            parts = self._sdmf(first, message_type, length)
        else:
            for divided in self._mdmf(first, length, _IMPOSSIBLE - 1 - cost):
                parts = divided
                yield None
        if parts is None:
            return
        cost += parts[0]
        data = bytearray([message_type, length])
        deviations = self._deviations
        deviations.clear()
        credit = _CREDIT_OF_STRUCTURE + _CREDIT_OF_FIXED  # of the message's type and its checksum
        for position, value, content, place, part_length in parts[1]:
            if value >= 0:
                data.append(value)
                credit += _CREDIT_OF_STRUCTURE
            else:
                cost += self._choose(data, first + position, content, place, part_length)
                credit += _CREDIT_OF_CLASS[content]
            if cost >= _IMPOSSIBLE:
                return
            if position % _POSITIONS_A_STEP == 0:
                yield None
        # The checksum's own character may be anything that the other bytes ask for.
        self._choose(data, first + _HEADER + length, -1, 0, 0)
        yield None
        change, next_change = deviations.cheapest(-sum(data) & 0xFF, data)
        if change is None:
            return
        repaired = False
        for k in range(len(data)):
            repaired = repaired or data[k] != self._values[(first + k) * ALTERNATIVES]
        data = bytes(data)
        if _makes_sense(data, repaired):
            yield cost + change, cost + next_change, data, repaired, credit, first

    def _following(self, end):
        count = 0
        while count < _MOST_FOLLOWING and end + count < self._count and self._follows[end + count]:
            count += 1
        return count

    def _structural(self, character):
        """(cost, value) of a character that is a type or a length."""
        found = self._structures[character]
        if found is None:
            found = []
            for at in range(character * ALTERNATIVES, (character + 1) * ALTERNATIVES):
                if self._costs[at] > _MOST_STRUCTURAL:
                    break
                found.append((self._costs[at], self._values[at]))
            self._structures[character] = found
        return found

    def _sdmf(self, first, message_type, length):
        """Cost and parts (position, value or -1, class, place, length) of an SDMF message."""
        parts = []
        if message_type == _SDMF_WAITING:
            if length != 3:
                return None
            letter = 0x42 if self._cost_of(first + 2, 0x42) <= self._cost_of(first + 2, 0x6F) else 0x6F
            cost = sum([self._cost_of(first + _HEADER + k, letter) for k in range(3)])
            return cost, [(_HEADER + k, letter, 0, 0, 0) for k in range(3)]
        if length < _SDMF_SHORTEST:
            return None
        for k in range(length):
            if k < _DATE_TIME_LENGTH:
                parts.append((_HEADER + k, -1, message.CLASS_DATE, k, _DATE_TIME_LENGTH))
            else:
                parts.append(
                    (_HEADER + k, -1, message.CLASS_NUMBER, k - _DATE_TIME_LENGTH, length - _DATE_TIME_LENGTH)
                )
        return 0, parts

    def _mdmf(self, first, length, most_cost):
        """As `_sdmf`, of the likeliest division into parameters: yields None between steps, and at last that."""
        end = _HEADER + length
        best = {end: (0, None)}
        for position in range(end - 3, _HEADER - 1, -1):
            chosen = self._parameter(first, position, best, most_cost)
            if chosen is not None:
                best[position] = chosen
            if position % _POSITIONS_A_STEP == 0:
                yield None
        if _HEADER in best:
            yield self._divided(best, end)

    def _divided(self, best, end):
        parts = []
        cost = 0
        position = _HEADER
        while position != end:
            cost_here, parameter_type, parameter_length, content = best[position][1]
            cost += cost_here
            parts.append((position, parameter_type, 0, 0, 0))
            parts.append((position + 1, parameter_length, 0, 0, 0))
            for k in range(parameter_length):
                parts.append((position + 2 + k, -1, content, k, parameter_length))
            position += 2 + parameter_length
        return cost, parts

    def _parameter(self, first, position, best, most):
        """The cheapest parameter that may begin at `position`, and all after it: (cost, (own cost, type, ...)).

        None if all cost more than `most`.
        """
        chosen = None
        for cost_type, parameter_type in self._structural(first + position):
            own_cost = cost_type
            if not message.is_known(parameter_type):
                own_cost += _UNKNOWN_TYPE
            elif parameter_type not in _COMMON_TYPES:
                own_cost += _RARE_TYPE
            if own_cost > most:
                continue
            content = message.content_class(parameter_type)
            for cost_length, length in self._structural(first + position + 1):
                after = best.get(position + 2 + length)
                if after is None or not message.length_fits(parameter_type, length):
                    continue
                cost = own_cost + cost_length + after[0]
                k = position + 2
                while k < position + 2 + length and cost <= most:
                    cost += self._least_cost(first + k, content)
                    k += 1
                if cost <= most:
                    chosen = (cost, (own_cost + cost_length, parameter_type, length, content))
                    most = cost - 1
        return chosen

    def _least_cost(self, character, content):
        at = character * _CLASSES + content
        if self._least[at] == _NOT_YET:
            least = _IMPOSSIBLE
            for k in range(character * ALTERNATIVES, (character + 1) * ALTERNATIVES):
                cost = self._costs[k]
                if cost >= least:
                    break
                value = self._values[k]
                if content == message.CLASS_DATE:
                    # Its place is not known here: any digit.
                    least = min(least, cost) if 0x30 <= value <= 0x39 else least
                else:
                    least = min(least, cost + _content_cost(content, 0, 1, value))
            self._least[at] = least
        return self._least[at]

    def _cost_of(self, character, value):
        for k in range(character * ALTERNATIVES, (character + 1) * ALTERNATIVES):
            if self._values[k] == value:
                return self._costs[k]
        return _IMPOSSIBLE

    def _choose(self, data, character, content, place, length):
        """Appends the likeliest value to `data`, notes the others as deviations; answers the cost of the likeliest."""
        allowed = []
        most = _MOST_DEVIATION
        for k in range(character * ALTERNATIVES, (character + 1) * ALTERNATIVES):
            cost = self._costs[k]
            if cost > most:
                break
            value = self._values[k]
            if content >= 0:
                cost += _content_cost(content, place, length, value)
            if cost < _IMPOSSIBLE:
                allowed.append((cost, value))
                most = min(most, cost + _MOST_MARGIN)
        if not allowed:
            data.append(self._values[character * ALTERNATIVES])
            return _IMPOSSIBLE
        least, likeliest = min(allowed)
        for cost, value in allowed:
            if value != likeliest:
                self._deviations.add(cost - least, len(data), (value - likeliest) & 0xFF)
        data.append(likeliest)
        return least


def _makes_sense(data, repaired):
    """Whether every parameter can be read; what is not known to the tables is believed only if nothing was repaired."""
    try:
        parsed = message.parse(data)
    except message.MessageError:
        return False
    return not (repaired and parsed.unknown)


@micropython.viper
def _cheapest(costs: ptr16, places: ptr8, deltas: ptr8, count: int, wanted: int, limit: int, found: ptr32):
    """The cheapest set of up to three deviations at different places that adds up to `wanted`, and the next one's cost.

    found: cost, cost of the next best, and the indices of the cheapest set, 255 for none. Costs below 2^10 each.
    """
    best = limit
    second = limit
    a = 0
    while a < count and int(costs[a]) < second:
        cost_a = int(costs[a])
        left = (wanted - int(deltas[a])) & 255
        if left == 0:
            if cost_a < best:
                second = best
                best = cost_a
                found[2] = a
                found[3] = 255
                found[4] = 255
            elif cost_a < second:
                second = cost_a
        b = a + 1
        while b < count and cost_a + int(costs[b]) < second:
            if int(places[b]) != int(places[a]):
                cost_b = cost_a + int(costs[b])
                rest = (left - int(deltas[b])) & 255
                if rest == 0:
                    if cost_b < best:
                        second = best
                        best = cost_b
                        found[2] = a
                        found[3] = b
                        found[4] = 255
                    elif cost_b < second:
                        second = cost_b
                c = b + 1
                while c < count and cost_b + int(costs[c]) < second:
                    if (
                        int(deltas[c]) == rest
                        and int(places[c]) != int(places[a])
                        and int(places[c]) != int(places[b])
                    ):
                        if cost_b + int(costs[c]) < best:
                            second = best
                            best = cost_b + int(costs[c])
                            found[2] = a
                            found[3] = b
                            found[4] = c
                        else:
                            second = cost_b + int(costs[c])
                    c += 1
            b += 1
        a += 1
    found[0] = best
    found[1] = second


@micropython.viper
def _insert(costs: ptr16, places: ptr8, deltas: ptr8, count: int, cost: int, place: int, delta: int) -> int:
    """Keeps the cheapest _MOST_DEVIATIONS, the cheapest first; answers how many there are."""
    k = count
    if count == _MOST_DEVIATIONS:
        if int(costs[count - 1]) <= cost:
            return count
        k -= 1
    else:
        count += 1
    while k and int(costs[k - 1]) > cost:
        costs[k] = int(costs[k - 1])
        places[k] = int(places[k - 1])
        deltas[k] = int(deltas[k - 1])
        k -= 1
    costs[k] = cost
    places[k] = place
    deltas[k] = delta
    return count


class _Deviations:
    """What may stand in a message instead of its likeliest bytes."""

    def __init__(self):
        self._count = 0
        self._costs = array("H", bytes(2 * _MOST_DEVIATIONS))
        self._places = bytearray(_MOST_DEVIATIONS)
        self._deltas = bytearray(_MOST_DEVIATIONS)
        self._set = array("i", bytes(4 * 5))

    def clear(self):
        self._count = 0

    def add(self, cost, place, delta):
        self._count = _insert(self._costs, self._places, self._deltas, self._count, cost, place, delta)

    def cheapest(self, wanted, data):
        """Makes `data` add up to what is wanted; answers what that costs and what the next best way would, or None."""
        _cheapest(self._costs, self._places, self._deltas, self._count, wanted, _MOST_MARGIN, self._set)
        best = self._set[_BEST]
        if wanted == 0:
            # Nothing need be changed, and the cheapest change is the next best message.
            return 0, best
        if best == _MOST_MARGIN:
            return None, None
        for index in list(self._set)[2:]:
            if index != 255:
                data[self._places[index]] = (data[self._places[index]] + self._deltas[index]) & 0xFF
        return best, self._set[_SECOND]
