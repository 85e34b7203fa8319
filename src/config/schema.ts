import { z } from 'zod';
import { isLoopbackHost, parseListen } from '../api/options.ts';
import { defaultNetworkLimits } from '../network/options.ts';
import { engineTypes } from '../engines/registry.ts';
import { LABEL_NAME } from '../domain/units/label-name.ts';
import { PEER_ID } from '../domain/units/peer-id.ts';
import { wellFormedProblem } from '../domain/program/program-text.ts';
import { byteQuantity, cpuQuantity, durationQuantity } from '../domain/units/quantities.ts';
import { type AddressUse, addressProblem } from './address-check.ts';
import { askedPrice } from './asked-price.ts';

const SHORTEST_TOKEN = 16;
/** Strangers are left something: nobody new could become an established requester otherwise. */
const MOST_KEPT_PERCENT = 90;
const MOST_NAMES = 256;

/** All of a resource, a share of it, or an amount in its own unit. */
export type Offer =
  | { readonly kind: 'all' }
  | { readonly kind: 'share'; readonly percent: number }
  | { readonly kind: 'amount'; readonly amount: number };

/** `all`, a share such as `80%`, or an amount that `quantity` understands. */
function offer(
  quantity: z.ZodType<number, string | number>,
  example: string,
): z.ZodType<Offer, string | number> {
  const takes = `expected all, a share such as 80%, or an amount such as ${example}`;
  return z.union([z.string(), z.number()], takes).transform((input, context): Offer => {
    if (input === 'all') return { kind: 'all' };
    const percent = /^(\d{1,3})\s*%$/.exec(String(input).trim())?.[1];
    const offered = percent === undefined ? quantity.safeParse(input).data : Number(percent);
    if (offered === undefined || (percent !== undefined && offered > 100)) {
      context.addIssue({ code: 'custom', message: takes });
      return z.NEVER;
    }
    if (offered === 0) {
      const message = `${takes}, and more than 0: no job runs on nothing. To offer nothing set provider.enabled to false`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    return percent === undefined ? { kind: 'amount', amount: offered } : { kind: 'share', percent: offered };
  });
}

const listen = z
  .string()
  .refine(
    (text) => parseListen(text) !== undefined,
    'expected HOST:PORT such as 127.0.0.1:9999 or [::1]:9999',
  );
const addresses = (use: AddressUse, most: number) =>
  z
    .array(
      z.string().superRefine((text, context) => {
        const message = addressProblem(text, use);
        if (message !== undefined) context.addIssue({ code: 'custom', message });
      }),
    )
    .max(most);
const peerIds = z
  .array(z.string().regex(PEER_ID, 'expected the peer id of a node: 12D3KooW and 44 more letters and digits'))
  .max(MOST_NAMES);
const labelName = z
  .string()
  .regex(
    LABEL_NAME,
    'expected a label of 1 to 63 letters (A to Z), digits, dots, dashes, slashes and underscores, as constraints can name it',
  );
const place = z
  .string()
  .max(64)
  .regex(/\S/, 'expected a name, or null where it is not told')
  .refine((text) => wellFormedProblem(text) === undefined, 'expected text without halves of characters')
  .nullable()
  .default(null);
const weight = z.number().min(0).max(100);
const count = z.number().int().min(1);

const api = z
  .strictObject({
    listen: listen.default('127.0.0.1:9999'),
    token: z
      .string()
      .min(SHORTEST_TOKEN, `expected at least ${SHORTEST_TOKEN} characters`)
      .regex(/^[\x21-\x7e]+$/, 'expected visible ASCII characters only')
      .nullable()
      .default(null),
  })
  .refine((value) => value.token !== null || isLoopbackHost(parseListen(value.listen)?.host ?? ''), {
    path: ['listen'],
    message: 'is not on loopback, so whoever reaches it could run jobs: set api.token as well',
  });

const p2p = z
  .strictObject({
    listen: addresses('listen', 32).default(['/ip4/0.0.0.0/tcp/0']),
    announce: addresses('announce', 8).default([]),
    bootstrap: addresses('bootstrap', 64).default([]),
    mdns: z.boolean().default(true),
  })
  .refine(({ listen: listened, announce }) => announce.length === 0 || listened.length > 0, {
    path: ['announce'],
    message:
      'tells others of addresses while p2p.listen is empty, so nobody answers there: fill one or empty the other',
  });

const provider = z
  .strictObject({
    enabled: z.boolean().default(true),
    ownJobs: z.boolean().default(true),
    onboard: z
      .strictObject({
        cpu: offer(cpuQuantity, '2 or 500m').prefault('80%'),
        memory: offer(byteQuantity, '4GiB').prefault('80%'),
        disk: offer(byteQuantity, '20GiB').prefault('50%'),
        gpus: z
          .union([z.enum(['all', 'none']), z.array(z.number().int().min(0)).max(64)], {
            error: 'expected all, none, or a list of device indexes',
          })
          .default('all'),
      })
      .prefault({}),
    price: askedPrice,
    labels: z
      .record(
        labelName,
        z
          .string()
          .max(253)
          .refine((text) => text.isWellFormed(), 'expected text without halves of characters'),
      )
      .default({}),
    location: z.strictObject({ continent: place, country: place, city: place, asn: place }).prefault({}),
    engines: z
      .array(z.enum(engineTypes))
      .min(
        1,
        `expected at least one of ${engineTypes.join(', ')}: to offer nothing set provider.enabled to false`,
      )
      .default([...engineTypes]),
    lockOnBid: z.boolean().default(false),
    establishedPercent: z.number().int().min(0).max(MOST_KEPT_PERCENT).default(20),
    allow: peerIds.default([]),
    deny: peerIds.default([]),
  })
  .superRefine(({ allow, deny }, context) => {
    for (const [index, peer] of allow.entries()) {
      if (!deny.includes(peer)) continue;
      const message = 'is in provider.deny as well, and would not be served: take it out of one of them';
      context.addIssue({ code: 'custom', path: ['allow', index], message });
    }
  });

const requester = z.strictObject({
  wantedBids: z.number().int().min(1).max(64).default(3),
  weights: z
    .strictObject({
      price: weight.default(3),
      soft: weight.default(3),
      load: weight.default(2),
      speed: weight.default(2),
      fit: weight.default(2),
      behaviour: weight.default(4),
      roundTrip: weight.default(1),
    })
    .refine(
      (weights) => Object.values(weights).some((one) => one > 0),
      'are all 0, so no bid would be better than another: expected more than 0 for one of them',
    )
    .prefault({}),
  preferredPeers: peerIds.default([]),
});

/** An hour at least: what has just ended may still be asked for. */
const SHORTEST_RETENTION_MS = 60 * 60 * 1000;
const age = durationQuantity.refine((ms) => ms >= SHORTEST_RETENTION_MS, 'expected 1h or more');

const retention = z.strictObject({
  jobAge: age.prefault('30d'),
  jobs: count.max(10_000_000).default(10_000),
  contractAge: age.prefault('30d'),
});

/** A job with nothing but its needed fields still fits. */
const LEAST_BODY_BYTES = 1024;
/** All inputs a job may have, each as long as it may be, in base64; it is held in memory while it is read. */
const MOST_BODY_BYTES = 128 * 1024 * 1024;
/** A program, some inputs and a result. */
const LEAST_QUOTA_BYTES = 16 * 1024 * 1024;

const limits = z.strictObject({
  maxBodyBytes: byteQuantity
    .refine((bytes) => bytes >= LEAST_BODY_BYTES && bytes <= MOST_BODY_BYTES, 'expected 1KiB to 128MiB')
    .prefault('4MiB'),
  contentQuotaBytes: byteQuantity
    .refine(
      (bytes) => bytes >= LEAST_QUOTA_BYTES,
      'expected 16MiB or more: inputs and results pass through it',
    )
    .prefault('10GiB'),
  maxOpenSearches: count.max(defaultNetworkLimits.openRequests).default(64),
  maxJobs: count.max(10_000_000).default(100_000),
});

const NO_CREDENTIALS =
  'expected an empty list: this version knows no credentials yet, and without them every identity may take part. Keep strangers out with provider.allow';

/** The configuration of one node, as file, environment and flags together must give it. Every key has a default. */
export const nodeConfig = z.strictObject({
  network: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9-]{0,62}$/,
      'expected lower-case letters, digits and dashes, at most 63 characters',
    )
    .default('bidmesh'),
  dataDir: z
    .string()
    .max(4096)
    .refine((text) => text.trim() !== '' && !text.includes('\0'), 'expected a folder such as ~/.bidmesh')
    .default('~/.bidmesh'),
  api: api.prefault({}),
  p2p: p2p.prefault({}),
  defaultOrchestrationType: z.enum(['pull', 'push']).default('pull'),
  defaultSearchTimeout: durationQuantity
    .refine((ms) => ms > 0, 'is over before anybody can answer: expected more than 0, such as 5s')
    .prefault('5s'),
  provider: provider.prefault({}),
  requester: requester.prefault({}),
  trust: z
    .strictObject({
      authorities: z.array(z.unknown(), 'expected an empty list').max(0, NO_CREDENTIALS).default([]),
    })
    .prefault({}),
  retention: retention.prefault({}),
  limits: limits.prefault({}),
  log: z
    .strictObject({ level: z.enum(['silent', 'error', 'warn', 'info', 'debug', 'trace']).default('info') })
    .prefault({}),
});

/** Durations are in milliseconds, sizes in bytes, cores in thousandths; `null` is "not set". */
export type NodeConfig = z.output<typeof nodeConfig>;

/** The same as it is written: everything may be left out, and quantities are text such as `4GiB` or numbers. */
export type NodeSettings = z.input<typeof nodeConfig>;
