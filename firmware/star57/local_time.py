"""The time of the household's place: the adapter's clock has UTC, caller ID has what the clock on the wall shows."""

import time

_MINUTES_A_DAY = const(1440)
_MINUTES_A_YEAR = const(525600)
# Places differ from UTC by quarters of an hour, up to 14 hours (tz database).
_STEP_MINUTES = const(15)
_FARTHEST_MINUTES = const(840)
_DAYS_BEFORE = (0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334)
_LONGEST_MONTH_DAYS = (31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


class LocalTime:
    """Times as (month, day, hour, minute) of the household's place.

    board: has wall_time(); calls: a CallHistory; settings: utc_offset_minutes is in force until a call has told better.
    """

    def __init__(self, board, calls, settings):
        self._board = board
        self._calls = calls
        self._settings = settings

    @property
    def offset_minutes(self):
        """How far the place is ahead of UTC: as the newest call has it whose time both clocks know, else the setting.

        An exchange follows summer time of itself.
        """
        for call in self._calls.newest_first:
            presented = presented_with(call)
            if presented is not None and call.time_source == "network":
                ahead = _nearest(_minute_of_year(presented) - _minute_of_year(_shown(call.at)))
                if abs(ahead) <= _FARTHEST_MINUTES:
                    return ahead
        return self._settings.utc_offset_minutes

    def now(self):
        """What the clock on the wall shows; None while no clock is known."""
        unix_seconds, source = self._board.wall_time()
        return self.at(unix_seconds) if source == "network" else None

    def at(self, unix_seconds):
        """What the clock on the wall showed at `unix_seconds`."""
        return _shown(unix_seconds + 60 * self.offset_minutes)

    def of_call(self, call):
        """When a call came: as the line presented it, else by the adapter's clock; None when neither knew."""
        presented = presented_with(call)
        if presented is None and call.time_source == "network":
            return self.at(call.at)
        return presented


def presented_with(call):
    """(month, day, hour, minute) as the line presented it with a call; None when it did not, or it cannot be."""
    text = call.caller_id and call.caller_id.get("date_time")
    if not text or len(text) != 8 or not all("0" <= digit <= "9" for digit in text):
        return None
    month, day, hour, minute = [int(text[place : place + 2]) for place in range(0, 8, 2)]
    if not 1 <= month <= 12 or not 1 <= day <= _LONGEST_MONTH_DAYS[month - 1] or hour > 23 or minute > 59:
        return None
    return month, day, hour, minute


def _shown(unix_seconds):
    moment = time.gmtime(unix_seconds)
    return moment[1], moment[2], moment[3], moment[4]


def _minute_of_year(local):
    month, day, hour, minute = local
    return (_DAYS_BEFORE[month - 1] + day) * _MINUTES_A_DAY + hour * 60 + minute


def _nearest(difference_minutes):
    """The quarter of an hour next to a difference within a year, which may lie across its end."""
    half = _MINUTES_A_YEAR // 2
    difference_minutes = (difference_minutes + half) % _MINUTES_A_YEAR - half
    return (difference_minutes + _STEP_MINUTES // 2) // _STEP_MINUTES * _STEP_MINUTES
