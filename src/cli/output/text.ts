import prettyBytes from 'pretty-bytes';
import type { JobEvent } from '../../client/index.ts';
import { shortPeer } from './progress.ts';
import { visibleLine } from './visible-text.ts';

export function bytesText(bytes: number): string {
  return prettyBytes(bytes, { binary: true });
}

interface Devices {
  readonly model: string;
  readonly vramBytes: number;
  /** 1 where it is not given. */
  readonly count?: number | undefined;
}

/** `2 × NVIDIA A100 40 GiB`: devices that are alike together. */
export function gpusText(devices: readonly Devices[]): string {
  const counts = new Map<string, number>();
  for (const { model, vramBytes, count = 1 } of devices) {
    const name = `${model} ${bytesText(vramBytes)}`;
    if (count > 0) counts.set(name, (counts.get(name) ?? 0) + count);
  }
  return [...counts].map(([name, count]) => `${count} × ${name}`).join(', ');
}

export function coresText(cpuMillis: number): string {
  return String(cpuMillis / 1000);
}

/** `2030-01-02 03:04:05`, without the fraction. */
export function timeText(iso: string): string {
  return iso.replace('T', ' ').replace(/(\.\d+)?Z$/, '');
}

/** One event in one line, whatever strangers put into it. */
export function eventLine(event: JobEvent): string {
  const parts = [
    String(event.seq).padStart(4),
    timeText(event.at),
    event.type,
    event.provider === undefined ? '' : shortPeer(event.provider),
    event.code ?? '',
    event.message ?? '',
  ];
  return visibleLine(parts.filter((part) => part !== '').join('  '));
}
