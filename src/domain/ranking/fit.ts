import type { BidFit } from '../matching/bid-fit.ts';
import { BEST_VALUE, boundedValue, NEUTRAL_VALUE, type Ranker } from './ranker.ts';

const PERCENT = 100;

/**
 * The share of a machine that the job would leave without use: what stays free of one resource beyond what is left
 * of the scarcest. Spare disk strands nobody, but a disk that is full strands the rest, and so does a CPU for devices.
 */
function strandedShare({ cpuFree, memoryFree, diskFree, gpusFree, gpus }: BidFit): number {
  const scarcest = Math.min(cpuFree, memoryFree, diskFree);
  const usable = [cpuFree, memoryFree, ...(gpus > 0 ? [gpusFree / gpus] : [])];
  return usable.reduce((sum, free) => sum + Math.max(0, free - scarcest), 0) / usable.length;
}

/** 1000 where the job leaves nothing without use. In thousandths. */
export function fitValue(fit: BidFit, gpusWanted: number): number {
  const stranded = strandedShare(fit);
  if (gpusWanted === 0) return boundedValue((1 - stranded) * BEST_VALUE);
  // Whole machines full of devices are kept for jobs that need many of them.
  const broken = fit.gpusFree / (fit.gpusFree + gpusWanted);
  return boundedValue((1 - (stranded + broken) / 2) * BEST_VALUE);
}

/** Bin packing: the provider on which the job leaves the least that is of no use to another one. */
export const fitRanker: Ranker = {
  name: 'fit',
  prepare:
    ({ gpusWanted }) =>
    ({ bid: { fit } }) => {
      if (fit === undefined) return { value: NEUTRAL_VALUE, why: { code: 'fit-not-said', data: {} } };
      const value = fitValue(fit, gpusWanted);
      const percent = Math.round(strandedShare(fit) * PERCENT);
      if (gpusWanted === 0) return { value, why: { code: 'leaves-unused', data: { percent } } };
      const { gpusFree, gpus } = fit;
      return { value, why: { code: 'leaves-devices', data: { percent, gpusFree, gpus } } };
    },
};
