import { type Command, InvalidArgumentError, Option } from 'commander';
import { programEngines } from '../../engines/registry.ts';
import { BUDGET, type GpuWish } from '../program-job.ts';

/** Flags that say of a program what a job description says itself. What they take beyond their form, the node knows. */
export function withProgramFlags(command: Command): Command {
  const options = [
    new Option('--engine <engine>', 'what runs it, where its name does not say').choices(ENGINES),
    new Option('--input <source:target>', 'a local file it may read').argParser(collect(input)),
    new Option('--output <name:path>', 'a folder whose files are the result').argParser(collect(output)),
    new Option('--stdin <file>', 'its standard input: a local file, or - for what is piped in here'),
    new Option('--env <name=value>', 'an environment variable').argParser(collect(variable)),
    new Option('--cpu <cores>', 'such as 2 or 500m').argParser(form(CORES, 'cores such as 2, 0.5 or 500m')),
    new Option('--memory <size>', 'such as 256MiB').argParser(form(SIZE, ANY_SIZE)),
    new Option('--disk <size>', 'room for its files, such as 1GiB').argParser(form(SIZE, ANY_SIZE)),
    new Option(
      '--gpu <devices>',
      'a number, a model, MODEL:NUMBER, or vram=40GiB,driver=>=550 and the like',
    ).argParser(collect(gpuWish)),
    new Option('--count <number>', 'how many partitions').argParser(wholeNumber),
    new Option('--queue <duration>', 'how long it may wait for room, such as 10m').argParser(
      form(DURATION, ANY_DURATION),
    ),
    new Option('--timeout <duration>', 'how long it may run, such as 1h').argParser(
      form(DURATION, ANY_DURATION),
    ),
    new Option('--budget <amount>', 'what it may cost at most, such as 0.10 or "0.10 USD/hour"').argParser(
      form(BUDGET, 'an amount such as 0.10, "0.10 USD" or 0.10/hour (or minute, second, result)'),
    ),
    new Option('--label <key=value>', 'for "job list --label"').argParser(collect(label)),
    new Option(
      '--provider <peer>',
      'ask this one before all others: a peer id, or the end of a known one',
    ).argParser(collect(peer)),
    new Option('--push', 'ask chosen providers alone, and not everybody'),
    new Option('--name <name>', 'the name of the job'),
  ];
  for (const option of options) {
    option.description = `with a program: ${option.description}`;
    command.addOption(option);
  }
  return command;
}

const ENGINES = programEngines.map(({ type }) => type).toSorted();

const CORES = /^\d+(\.\d+)?m?$/;
const SIZE = /^\d+(\.\d+)?\s*(([kKMGTP]i?)?B)?$/;
const ANY_SIZE = 'a size such as 256MiB, 1GB or a number of bytes';
const DURATION = /^\d+(\.\d+)?\s*(ms|s|m|h|d)$/;
const ANY_DURATION = 'a duration such as 250ms, 5s, 10m or 1h';

function invalid(expected: string): InvalidArgumentError {
  return new InvalidArgumentError(`It takes ${expected}.`);
}

function form(pattern: RegExp, expected: string): (text: string) => string {
  return (text) => {
    if (pattern.test(text.trim())) return text.trim();
    throw invalid(expected);
  };
}

function collect<Value>(
  parse: (text: string) => Value,
): (text: string, before?: readonly Value[]) => Value[] {
  return (text, before = []) => [...before, parse(text)];
}

function wholeNumber(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw invalid('a whole number');
}

function split(text: string, at: number, expected: string): readonly [string, string] {
  if (at > 0 && at < text.length) return [text.slice(0, at), text.slice(at + 1)];
  throw invalid(expected);
}

function input(text: string): readonly [string, string] {
  return split(text, text.lastIndexOf(':'), 'SOURCE:TARGET, such as data.csv:/inputs/data.csv');
}

function output(text: string): readonly [string, string] {
  return split(text, text.indexOf(':'), 'NAME:PATH, such as result:/outputs');
}

function variable(text: string): readonly [string, string] {
  return split(text, text.indexOf('='), 'NAME=VALUE');
}

/** As `job list --label` has it, and as other tools do. */
function label(text: string): readonly [string, string] {
  return split(text, text.search(/[=:]/), 'KEY=VALUE');
}

const PEER_ID = /^12D3KooW[1-9A-HJ-NP-Za-km-z]{44}$/;
const PEER_END = /^(?:…|\.\.\.)?([1-9A-HJ-NP-Za-km-z]{6,})$/;

/** A whole id, or the end of one as lists show it. */
function peer(text: string): string {
  if (PEER_ID.test(text)) return text;
  const end = PEER_END.exec(text)?.[1];
  if (end !== undefined) return end;
  throw invalid('a peer id, or its last 6 characters or more, as "bidmesh peers" shows it');
}

const GPU_KEYS = ['count', 'vendor', 'model', 'vram', 'driver', 'computeCapability'] as const;
const VENDORS: ReadonlySet<string> = new Set(['nvidia', 'amd', 'intel']);
const ANY_GPU = `a number of devices (2), a model or vendor (A100), both (A100:2), or KEY=VALUE,… with ${GPU_KEYS.join(', ')}`;

function gpuWish(text: string): GpuWish {
  if (text.includes('=')) return gpuByKeys(text);
  const match = /^(?:([A-Za-z][^:]*|[^:]*[A-Za-z][^:]*):)?(\d{1,4})$/.exec(text);
  const count = Number(match?.[2] ?? 1);
  const kind = match === null ? text.trim() : match[1];
  if (count === 0 || kind === '' || kind?.includes(':') === true) throw invalid(ANY_GPU);
  if (kind === undefined) return { count };
  return VENDORS.has(kind.toLowerCase()) ? { count, vendor: kind.toLowerCase() } : { count, model: kind };
}

function gpuByKeys(text: string): GpuWish {
  const wish: Record<string, string | number> = { count: 1 };
  for (const part of text.split(',')) {
    const [key, value] = split(part, part.indexOf('='), ANY_GPU);
    const known = GPU_KEYS.find((name) => name.toLowerCase() === key.trim().toLowerCase());
    if (known === undefined || value.trim() === '') throw invalid(ANY_GPU);
    wish[known] = known === 'count' ? wholeNumber(value) : value.trim();
  }
  return wish;
}
