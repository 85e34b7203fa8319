import { z } from 'zod';
import { contentSource } from './content-source.ts';
import { engineParams } from './engine-params.ts';
import { consistent, runnable, wellFormed } from './job-consistency.ts';
import { jobConstraints } from './job-constraints.ts';
import { jobLimits } from './job-limits.ts';
import { jobPreference } from './job-preference.ts';
import { decimalAmount, pricePeriods } from '../units/money.ts';
import { PEER_ID } from '../units/peer-id.ts';
import { byteQuantity, cpuQuantity, durationQuantity } from '../units/quantities.ts';
import { tidySandboxPath } from '../program/sandbox-path.ts';
import { rangeProblem } from '../units/version-range.ts';

const peerId = z
  .string()
  .regex(PEER_ID, 'expected the peer id of a node: 12D3KooW and 44 more letters and digits');
/** What is wrong with it is said by `programFaults`, as it is for every other part of the program. */
const sandboxPath = z.string().transform(tidySandboxPath);
const name = z
  .string()
  .min(1)
  .max(jobLimits.nameLength)
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9 _.-]*$/,
    'expected letters, digits, spaces, dots, dashes and underscores, and a letter or digit first',
  );
const outputName = z
  .string()
  .regex(
    /^[A-Za-z0-9][A-Za-z0-9_.-]{0,63}$/,
    'expected letters, digits, dots, dashes and underscores, a letter or digit first, at most 64 characters',
  );

const versionRange = z
  .string()
  .max(64)
  .superRefine((range, context) => {
    const message = rangeProblem(range);
    if (message !== undefined) context.addIssue({ code: 'custom', message });
  });

const gpuVendor = z.preprocess(
  (input) => (typeof input === 'string' ? input.toLowerCase() : input),
  z.enum(['nvidia', 'amd', 'intel']),
);

const gpuRequirement = z.strictObject({
  count: z.number().int().min(1).max(64).default(1),
  vendor: gpuVendor.optional(),
  model: z.string().min(1).max(64).optional(),
  vram: byteQuantity.optional(),
  driver: versionRange.optional(),
  computeCapability: versionRange.optional(),
});

/** A key that a later version of the protocol gives a meaning: only its neutral value is taken, anything else is named. */
const reserved = (neutral: unknown, key: string): z.ZodOptional<z.ZodType<unknown>> =>
  z
    .unknown()
    .superRefine((value, context) => {
      if (value !== undefined && JSON.stringify(value) !== JSON.stringify(neutral)) {
        context.addIssue({
          code: 'custom',
          message: `${key} other than ${JSON.stringify(neutral)} is not supported by this version`,
        });
      }
    })
    .optional();

/** Field by field. */
export const plainDescription = z.strictObject({
  name: name.default('job'),
  type: z
    .enum(['batch', 'service', 'ops', 'daemon'])
    .default('batch')
    .refine((type) => type === 'batch', 'only batch jobs are supported by this version'),
  count: z.number().int().min(1).max(jobLimits.partitions).default(1),
  priority: z.number().int().min(0).max(100).default(50),
  labels: z
    .record(z.string().min(1).max(63), z.string().max(253))
    .refine(
      (labels) => Object.keys(labels).length <= jobLimits.labels,
      `expected at most ${jobLimits.labels} labels`,
    )
    .default({}),
  engine: engineParams,
  resources: z
    .strictObject({
      cpu: cpuQuantity.prefault('500m'),
      memory: byteQuantity.prefault('256MiB'),
      disk: byteQuantity.prefault('256MiB'),
      gpus: z.array(gpuRequirement).max(jobLimits.gpuGroups).default([]),
    })
    .prefault({}),
  constraints: jobConstraints(jobLimits),
  prefer: jobPreference.default('balanced'),
  budget: z
    .strictObject({
      maxPrice: decimalAmount,
      currency: z
        .string()
        .regex(/^[A-Z]{3,8}$/, 'expected a currency code such as USD')
        .default('USD'),
      per: z.enum(pricePeriods).default('hour'),
    })
    .optional(),
  timeouts: z
    .strictObject({
      search: durationQuantity.optional(),
      queue: durationQuantity.optional(),
      lock: durationQuantity.prefault('5s'),
      contract: durationQuantity.prefault('5s'),
      start: durationQuantity.prefault('5m'),
      execution: durationQuantity.prefault('10m'),
      total: durationQuantity.prefault('1h'),
    })
    .prefault({}),
  retry: z
    .strictObject({
      attempts: z.number().int().min(1).max(20).default(3),
      backoff: durationQuantity.prefault('1s'),
      on: z
        .array(z.enum(['lost', 'internal', 'exit-code', 'trap', 'timeout', 'input-unavailable']))
        .default(['lost', 'internal']),
    })
    .prefault({}),
  orchestrationType: z.enum(['pull', 'push']).optional(),
  preferredProviders: z.array(peerId).max(jobLimits.peers).default([]),
  excludedProviders: z.array(peerId).max(jobLimits.peers).default([]),
  dependsOn: reserved([], 'dependsOn'),
  verify: reserved({ replicas: 1, agree: 1 }, 'verify'),
  secrets: reserved({ env: {}, inputs: [] }, 'secrets'),
  network: reserved({ type: 'none', ports: [] }, 'network'),
  healthCheck: reserved({}, 'healthCheck'),
  rollout: reserved({ maxParallel: 1 }, 'rollout'),
  keepOnFailure: reserved(false, 'keepOnFailure'),
  publish: reserved({ type: 'requester' }, 'publish'),
  inputs: z
    .array(
      z.strictObject({
        target: sandboxPath,
        source: contentSource(['text', 'base64']),
      }),
    )
    .max(jobLimits.inputs)
    .default([]),
  outputs: z
    .array(z.strictObject({ name: outputName, path: sandboxPath }))
    .max(jobLimits.outputs)
    .default([]),
});

/**
 * What a user posts. Unknown keys are errors that name them. Durations and sizes are parsed here, once:
 * everything behind this schema works in milliseconds, bytes and thousandths of a core. What contradicts itself is
 * refused here too: no provider could ever meet it.
 */
export const jobDescription = plainDescription
  .superRefine(consistent)
  .superRefine((job, context) => runnable(job, jobLimits, context))
  .superRefine(wellFormed);

export type JobDescription = z.output<typeof jobDescription>;
