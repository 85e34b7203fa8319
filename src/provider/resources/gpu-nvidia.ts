import { parse } from 'csv-parse/sync';
import { z } from 'zod';
import type { GpuDevice } from '../../domain/units/resources.ts';
import type { RunTool, ToolLimits } from '../processes/tool-runner.ts';
import { failedReading, type GpuReading, MAX_GPUS, NO_GPUS, quoteOutput } from './gpu-tool.ts';

const TOOL = 'nvidia-smi';
const FIELDS = ['index', 'uuid', 'name', 'memory.total', 'driver_version', 'compute_cap'] as const;
/** Drivers before 510 refuse the whole query when it names this field. */
const NEWER_FIELD = 'compute_cap';
/** Characters of one device; a quote that stays open costs the square of what follows it. */
const LONGEST_LINE = 1024;
const MEBIBYTE = 1024 ** 2;

const stated = z.string().transform((text) => (/^\[.*\]$/.test(text) || text === '' ? undefined : text));
const rowSchema = z.tuple([
  z
    .string()
    .regex(/^\d{1,3}$/)
    .transform(Number),
  z.string().regex(/^(GPU|MIG)-[\w/-]+$/),
  z
    .string()
    .min(1)
    .max(128)
    .regex(/^[^[\]]+$/),
  z
    .string()
    .regex(/^[1-9]\d{0,8}$/)
    .transform(Number),
  stated.pipe(
    z
      .string()
      .regex(/^\d+(\.\d+)+$/)
      .optional(),
  ),
  stated
    .pipe(
      z
        .string()
        .regex(/^\d+\.\d+$/)
        .optional(),
    )
    .optional(),
]);

/** Asks `nvidia-smi` for its devices. Never rejects: without the tool there are none, without sense there are none and a note. */
export async function readNvidiaGpus(runTool: RunTool, limits: ToolLimits): Promise<GpuReading> {
  const all = await query(runTool, limits, FIELDS);
  const tooOld =
    all.outcome === 'ended' &&
    all.exitCode !== 0 &&
    all.stdout.includes(`"${NEWER_FIELD}" is not a valid field`);
  const run = tooOld
    ? await query(
        runTool,
        limits,
        FIELDS.filter((field) => field !== NEWER_FIELD),
      )
    : all;
  if (run.outcome === 'ended' && run.stdout.startsWith('No devices were found')) return NO_GPUS;
  if (run.outcome !== 'ended' || run.exitCode !== 0) return failedReading(TOOL, run);
  return parseNvidiaCsv(run.stdout);
}

function query(runTool: RunTool, limits: ToolLimits, fields: readonly string[]): ReturnType<RunTool> {
  return runTool(TOOL, [`--query-gpu=${fields.join(',')}`, '--format=csv,noheader,nounits'], limits);
}

/** The devices in the answer to the query for index, uuid, name, memory.total, driver_version and, if known, compute_cap. */
export function parseNvidiaCsv(text: string): GpuReading {
  let rows: unknown[];
  try {
    rows = parse(text, {
      trim: true,
      skip_empty_lines: true,
      relax_column_count: true,
      relax_quotes: true,
      max_record_size: LONGEST_LINE,
      to: MAX_GPUS + 1,
    });
  } catch {
    return { devices: [], notes: [`${TOOL} gave no table: ${quoteOutput(text)}`] };
  }
  if (rows.length > MAX_GPUS) return { devices: [], notes: [`${TOOL} named more than ${MAX_GPUS} devices.`] };
  const devices = new Map<number, GpuDevice>();
  const notes: string[] = [];
  for (const row of rows) {
    const read = rowSchema.safeParse(row);
    const device = read.success ? toDevice(read.data) : undefined;
    if (device !== undefined && !devices.has(device.index)) devices.set(device.index, device);
    else notes.push(`${TOOL} gave a line that names no usable device: ${quoteOutput(String(row))}`);
  }
  return { devices: [...devices.values()], notes };
}

function toDevice([index, uuid, model, memoryMebibytes, driver, computeCapability]: z.output<
  typeof rowSchema
>): GpuDevice {
  return {
    index,
    vendor: 'nvidia',
    model,
    vramBytes: memoryMebibytes * MEBIBYTE,
    uuid,
    ...(driver === undefined ? {} : { driver }),
    ...(computeCapability === undefined ? {} : { computeCapability }),
  };
}
