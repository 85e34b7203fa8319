import { expect, it } from 'vitest';
import { driversFor, runJob } from '../sandbox-run.ts';

const ZONES = `
America/Los_Angeles America/New_York America/Sao_Paulo America/St_Johns Asia/Kathmandu Asia/Tehran Asia/Tokyo
Australia/Lord_Howe Australia/Sydney Europe/Berlin Europe/Dublin Europe/London Europe/Moscow Pacific/Apia Pacific/Chatham
Etc/GMT+3 US/Eastern UTC`
  .split(/\s+/)
  .filter((name) => name !== '');
/** Every 151 days and some hours, so that all hours and seasons come up, and well beyond the last change that is listed. */
const TIMES = Array.from({ length: 200 }, (_, index) => index * (151 * 24 + 5) * 3600 * 1000);

it('zoneinfo has the offsets of the whole world, from 1970 and for as long as rules go on', async () => {
  const program = `
import json, sys
from datetime import datetime, timedelta, timezone
from zoneinfo import ZoneInfo, available_timezones
zones, times = json.load(sys.stdin)
start = datetime(1970, 1, 1, tzinfo=timezone.utc)
offsets = {}
for name in zones:
    zone = ZoneInfo(name)
    offsets[name] = [(start + timedelta(milliseconds=at)).astimezone(zone).utcoffset().total_seconds() / 60 for at in times]
summer = datetime(2040, 7, 1, tzinfo=ZoneInfo('Europe/Berlin'))
def missing(name):
    try: return str(ZoneInfo(name))
    except Exception as error: return type(error).__name__
print(json.dumps([offsets, summer.tzname(), str(summer.dst()), len(available_timezones()), missing('No/Where'), missing('../job')]))
`;
  const stdin = JSON.stringify([ZONES, TIMES]);
  const { stdout, stderr } = await runJob(driversFor('process'), { engine: 'python', program, stdin });
  expect(stderr).toBe('');
  const [offsets, name, summer, count, ...refused] = JSON.parse(stdout);
  expect([name, summer, count > 500, refused]).toEqual([
    'CEST',
    '1:00:00',
    true,
    ['ZoneInfoNotFoundError', 'ValueError'],
  ]);
  const expected = ZONES.map((zone) => [zone, TIMES.map((at) => offsetMinutes(zone, at))]);
  expect(offsets).toEqual(Object.fromEntries(expected));
}, 30_000);

function offsetMinutes(timeZone: string, at: number): number {
  const parts = formatOf(timeZone).formatToParts(at);
  const of = (type: string): number => Number(parts.find((part) => part.type === type)?.value);
  const local = Date.UTC(of('year'), of('month') - 1, of('day'), of('hour'), of('minute'), of('second'));
  return (local - at) / 60_000;
}

const formats = new Map<string, Intl.DateTimeFormat>();
function formatOf(timeZone: string): Intl.DateTimeFormat {
  const known = formats.get(timeZone);
  if (known !== undefined) return known;
  const numeric = 'numeric';
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    year: numeric,
    month: numeric,
    day: numeric,
    hour: numeric,
    minute: numeric,
    second: numeric,
  });
  formats.set(timeZone, made);
  return made;
}
