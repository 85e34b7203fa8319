import { z } from 'zod';
import type { GpuDevice } from '../../domain/units/resources.ts';
import type { RunTool, ToolLimits } from '../processes/tool-runner.ts';
import { failedReading, type GpuReading, MAX_GPUS, NO_GPUS, quoteOutput } from './gpu-tool.ts';

const TOOL = 'rocm-smi';
const ARGS = ['--showproductname', '--showmeminfo', 'vram', '--showdriverversion', '--json'];
const CARD = /^card(\d{1,3})$/;

const answerSchema = z.record(z.string(), z.record(z.string(), z.unknown()));
const vramSchema = z
  .string()
  .regex(/^[1-9]\d{0,14}$/)
  .transform(Number);
const textSchema = z.string().trim().min(1).max(128);

/** Asks `rocm-smi` for its devices. Never rejects: without the tool there are none, without sense there are none and a note. */
export async function readAmdGpus(runTool: RunTool, limits: ToolLimits): Promise<GpuReading> {
  const run = await runTool(TOOL, ARGS, limits);
  if (run.outcome !== 'ended' || run.exitCode !== 0) return failedReading(TOOL, run);
  return parseRocmJson(run.stdout);
}

/** The devices in the JSON answer; warnings may stand before it, and the names of its keys vary in case by release. */
export function parseRocmJson(text: string): GpuReading {
  const start = text.indexOf('{');
  if (start < 0)
    return text.trim() === ''
      ? NO_GPUS
      : { devices: [], notes: [`${TOOL} gave no JSON: ${quoteOutput(text)}`] };
  let answer: z.output<typeof answerSchema>;
  try {
    answer = answerSchema.parse(JSON.parse(text.slice(start)));
  } catch {
    return {
      devices: [],
      notes: [`${TOOL} gave JSON that is not understood: ${quoteOutput(text.slice(start))}`],
    };
  }
  const cards = Object.entries(answer).filter(([name]) => CARD.test(name));
  if (cards.length > MAX_GPUS)
    return { devices: [], notes: [`${TOOL} named ${cards.length} devices, more than ${MAX_GPUS}.`] };
  const driver = valueOf(lowerKeys(answer['system'] ?? {}), 'driver version');
  const devices: GpuDevice[] = [];
  const notes: string[] = [];
  for (const [name, properties] of cards) {
    const device = toDevice(Number(CARD.exec(name)?.[1]), lowerKeys(properties), driver);
    if (device === undefined) notes.push(`${TOOL} names ${name} without the size of its memory.`);
    else devices.push(device);
  }
  return { devices, notes };
}

function lowerKeys(properties: Readonly<Record<string, unknown>>): ReadonlyMap<string, unknown> {
  return new Map(Object.entries(properties).map(([key, value]) => [key.toLowerCase(), value]));
}

function valueOf(properties: ReadonlyMap<string, unknown>, key: string): string | undefined {
  const read = textSchema.safeParse(properties.get(key));
  return read.success && read.data !== 'N/A' ? read.data : undefined;
}

function toDevice(
  index: number,
  properties: ReadonlyMap<string, unknown>,
  driver: string | undefined,
): GpuDevice | undefined {
  const vram = vramSchema.safeParse(properties.get('vram total memory (b)'));
  if (!vram.success) return undefined;
  const uuid = valueOf(properties, 'unique id');
  return {
    index,
    vendor: 'amd',
    model: valueOf(properties, 'card series') ?? valueOf(properties, 'card model') ?? 'unknown',
    vramBytes: vram.data,
    ...(driver === undefined ? {} : { driver }),
    ...(uuid === undefined ? {} : { uuid }),
  };
}
