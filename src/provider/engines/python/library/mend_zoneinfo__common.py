"""Time zones from the list that is brought along; WASI has no /usr/share/zoneinfo."""

import io
import json

DAY = 86_400
#: Zones that go on changing have their changes listed up to this year; a rule is read off the last ones.
LAST_YEAR = 2037
DIGITS = '0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWX'
#: A time that is kept no longer than this, and given up for the one before, is a summer time.
LONGEST_SUMMER = 330 * DAY


def listed(cache=[]):
    """All zones and other names by their name."""
    if not cache:
        with open(f'{HERE}/time-zones.json') as file:
            found = json.load(file)
        zones = {line.partition('|')[0]: line for line in found['zones']}
        for line in found['links']:
            target, _, other = line.partition('|')
            zones[other] = zones[target]
        cache.append(zones)
    return cache[0]


def seconds(text):
    """Minutes to the base of 60, with a fraction to that base as well."""
    whole, _, fraction = text.lstrip('-').partition('.')
    value = 0
    for digit in whole:
        value = value * 60 + DIGITS.index(digit)
    value *= 60
    if fraction:
        value += DIGITS.index(fraction[0])
    return -value if text.startswith('-') else value


def periods_of(line):
    """What was valid from when on: pairs of a start and an index, and the kinds of time by their index."""
    _, names, offsets, indices, changes, *_ = line.split('|')
    kinds = list(zip((-seconds(offset) for offset in offsets.split(' ')), names.split(' ')))
    starts = [None]
    at = 0
    for change in changes.split(' ') if changes else ():
        at += seconds(change)
        starts.append(at)
    return list(zip(starts, (DIGITS.index(digit) for digit in indices))), kinds


def summers_of(periods, kinds):
    """
    Which periods are of summer time, which the list does not say: those of some months that are later than what comes
    before and after, and those beside a double summer time that are of the same kind.
    """
    short = {
        index + 1
        for index, (now, after) in enumerate(zip(periods[1:], periods[2:]))
        if after[0] - now[0] < LONGEST_SUMMER
    }
    offsets = [kinds[kind][0] for _, kind in periods]
    tops = {index for index in short if offsets[index] > max(offsets[index - 1], offsets[index + 1])}
    summer_kinds = {periods[index][1] for index in tops}
    beside = {index for index in short if offsets[index] > min(offsets[index - 1], offsets[index + 1])}
    return tops | {index for index in beside if periods[index][1] in summer_kinds}


def day_of(at):
    """Year, month, day, weekday (Sunday is 0) and second of the day of a time that is counted from 1970 on."""
    days, second = divmod(at, DAY)
    era, rest = divmod(days + 719_468, 146_097)
    year = (rest - rest // 1460 + rest // 36_524 - rest // 146_096) // 365
    of_year = rest - (365 * year + year // 4 - year // 100)
    month = (5 * of_year + 2) // 153
    day = of_year - (153 * month + 2) // 5 + 1
    month += 3 if month < 10 else -9
    return year + era * 400 + (month <= 2), month, day, (days + 4) % 7, second


def length_of(year, month):
    if month == 2:
        return 29 if year % 4 == 0 and (year % 100 != 0 or year % 400 == 0) else 28
    return 30 if month in (4, 6, 9, 11) else 31


def rule_of(times):
    """The POSIX rule that all these local times follow, if they follow one."""
    for shift in (0, 1):
        days = [day_of(at + shift * DAY) for at in times]
        weeks = {(day + 6) // 7 for _, _, day, _, _ in days}
        last = all(day + 7 > length_of(year, month) for year, month, day, _, _ in days)
        same = {(month, weekday, second) for _, month, _, weekday, second in days}
        if len(same) > 1 or not (last or len(weeks) == 1):
            continue
        month, weekday, second = same.pop()
        return f'M{month}.{5 if last else weeks.pop()}.{weekday}/{clock(second - shift * DAY)}'
    return None


def clock(total):
    minutes, second = divmod(abs(total), 60)
    hour, minute = divmod(minutes, 60)
    return ('-' if total < 0 else '') + f'{hour}:{minute:02}:{second:02}'


def footer_of(periods, kinds):
    """What goes on after the last listed change, as POSIX writes it; empty where nothing changes any more."""
    years = range(LAST_YEAR - 9, LAST_YEAR + 1)
    turns = {}
    for before, now in zip(periods, periods[1:]):
        local = now[0] + kinds[before[1]][0]
        if day_of(local)[0] in years:
            turns.setdefault(now[1], []).append(local)
    if len(turns) != 2 or any(len(times) != len(years) for times in turns.values()):
        return ''
    winter, summer = sorted(turns, key=lambda kind: kinds[kind][0])
    begin, end = rule_of(turns[summer]), rule_of(turns[winter])
    if begin is None or end is None:
        return ''
    named = ''.join(
        (name if name.isalpha() else f'<{name}>') + clock(-offset) for offset, name in (kinds[winter], kinds[summer])
    )
    return f'{named},{begin},{end}'


def written(line):
    """The zone as the bytes of a TZif file (RFC 8536)."""
    periods, kinds = periods_of(line)
    summers = summers_of(periods, kinds)
    # The first type is what was valid before all changes.
    types = {}
    typed = [types.setdefault((kind, index in summers), len(types)) for index, (_, kind) in enumerate(periods)]
    names = b''
    described = b''
    for kind, summer in types:
        offset, name = kinds[kind]
        described += offset.to_bytes(4, 'big', signed=True) + bytes((summer, len(names)))
        names += name.encode() + b'\0'
    head = b'TZif2' + bytes(15)
    counts = (0, 0, 0, len(periods) - 1, len(types), len(names))
    body = b''.join(at.to_bytes(8, 'big', signed=True) for at, _ in periods[1:])
    body += bytes(typed[1:]) + described + names
    footer = f'\n{footer_of(periods, kinds)}\n'.encode()
    return head + bytes(24) + head + b''.join(count.to_bytes(4, 'big') for count in counts) + body + footer


def load_tzdata(key):
    line = listed().get(key)
    if line is None:
        raise module.ZoneInfoNotFoundError(f'No time zone found with key {key}')
    return io.BytesIO(written(line))


module.load_tzdata = load_tzdata
module.listed = listed
