import type { GpuDevice } from '../../domain/units/resources.ts';
import type { ToolRun } from '../processes/tool-runner.ts';

/** The devices a vendor's tool named, and a sentence for each thing in its answer that could not be used. */
export interface GpuReading {
  readonly devices: readonly GpuDevice[];
  readonly notes: readonly string[];
}

export const NO_GPUS: GpuReading = { devices: [], notes: [] };

/** More devices than any machine has: an answer that names more is not believed. */
export const MAX_GPUS = 64;

const QUOTED_CHARACTERS = 160;

/** The first line of a tool's output, short and printable, for a note. */
export function quoteOutput(text: string): string {
  const line = text.split('\n').find((candidate) => candidate.trim() !== '') ?? '';
  const printable = line.replace(/[^\x20-\x7e]/g, '?').trim();
  return printable.length > QUOTED_CHARACTERS ? `${printable.slice(0, QUOTED_CHARACTERS)}…` : printable;
}

/** What to say about a run that gave no devices; nothing when the tool is not installed. */
export function failedReading(tool: string, run: ToolRun): GpuReading {
  switch (run.outcome) {
    case 'missing':
      return NO_GPUS;
    case 'timeout':
      return { devices: [], notes: [`${tool} did not answer in time and was ended.`] };
    case 'output-limit':
      return { devices: [], notes: [`${tool} printed too much and was ended.`] };
    case 'not-started':
      return { devices: [], notes: [`${tool} could not be started: ${quoteOutput(run.message)}`] };
    case 'ended': {
      const how = run.exitCode === undefined ? 'was killed' : `failed with exit code ${run.exitCode}`;
      const said = quoteOutput(`${run.stderr}\n${run.stdout}`);
      return { devices: [], notes: [said === '' ? `${tool} ${how}.` : `${tool} ${how}: ${said}`] };
    }
  }
}
