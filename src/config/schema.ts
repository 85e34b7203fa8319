import { z } from 'zod';
import { isLoopbackHost, parseListen } from '../api/options.ts';
import { LABEL_NAME } from '../domain/label-name.ts';
import { decimalAmount, pricePeriods } from '../domain/money.ts';
import { PEER_ID } from '../domain/peer-id.ts';
import { byteQuantity, cpuQuantity, durationQuantity } from '../domain/quantities.ts';

const SHORTEST_TOKEN = 16;
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
  return z.union([z.string(), z.number()]).transform((input, context): Offer => {
    if (input === 'all') return { kind: 'all' };
    const percent = /^(\d{1,3})\s*%$/.exec(String(input).trim())?.[1];
    if (percent !== undefined && Number(percent) <= 100) return { kind: 'share', percent: Number(percent) };
    const amount = quantity.safeParse(input);
    if (percent === undefined && amount.success) return { kind: 'amount', amount: amount.data };
    context.addIssue({
      code: 'custom',
      message: `expected all, a share such as 80%, or an amount such as ${example}`,
    });
    return z.NEVER;
  });
}

const listen = z
  .string()
  .refine(
    (text) => parseListen(text) !== undefined,
    'expected HOST:PORT such as 127.0.0.1:9999 or [::1]:9999',
  );
const multiaddr = z
  .string()
  .regex(/^\/[a-z0-9]+\/\S+$/, 'expected a multiaddr such as /ip4/0.0.0.0/tcp/4001');
const names = z.array(z.string().min(1).max(256)).max(MOST_NAMES);
const peerIds = z
  .array(z.string().regex(PEER_ID, 'expected the peer id of a node: 12D3KooW and 44 more letters and digits'))
  .max(MOST_NAMES);
const labelName = z
  .string()
  .regex(
    LABEL_NAME,
    'expected a label of 1 to 63 letters (A to Z), digits, dots, dashes, slashes and underscores, as constraints can name it',
  );
const place = z.string().min(1).max(64).nullable().default(null);
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

const p2p = z.strictObject({
  listen: z.array(multiaddr).max(32).default(['/ip4/0.0.0.0/tcp/0']),
  announce: z.array(multiaddr).max(8).default([]),
  bootstrap: z.array(multiaddr).max(64).default([]),
  mdns: z.boolean().default(true),
});

const provider = z.strictObject({
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
  price: z
    .strictObject({
      amount: decimalAmount.default('0.02'),
      currency: z
        .string()
        .regex(/^[A-Z]{3,8}$/, 'expected a currency code such as USD')
        .default('USD'),
      per: z.enum(pricePeriods).default('hour'),
    })
    .prefault({}),
  labels: z.record(labelName, z.string().max(253)).default({}),
  location: z.strictObject({ continent: place, country: place, city: place, asn: place }).prefault({}),
  engines: names.default(['wasm', 'python']),
  lockOnBid: z.boolean().default(false),
  allow: peerIds.default([]),
  deny: peerIds.default([]),
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

const limits = z.strictObject({
  maxBodyBytes: byteQuantity.prefault('4MiB'),
  contentQuotaBytes: byteQuantity.prefault('10GiB'),
  maxOpenSearches: count.max(100_000).default(64),
  maxJobs: count.max(10_000_000).default(100_000),
});

/** The configuration of one node, as file, environment and flags together must give it. Every key has a default. */
export const nodeConfig = z.strictObject({
  network: z
    .string()
    .regex(
      /^[a-z0-9][a-z0-9-]{0,62}$/,
      'expected lower-case letters, digits and dashes, at most 63 characters',
    )
    .default('bidmesh'),
  dataDir: z.string().min(1).max(4096).default('~/.bidmesh'),
  api: api.prefault({}),
  p2p: p2p.prefault({}),
  defaultOrchestrationType: z.enum(['pull', 'push']).default('pull'),
  defaultSearchTimeout: durationQuantity.prefault('5s'),
  provider: provider.prefault({}),
  requester: requester.prefault({}),
  trust: z.strictObject({ authorities: names.default([]) }).prefault({}),
  retention: retention.prefault({}),
  limits: limits.prefault({}),
  log: z
    .strictObject({ level: z.enum(['silent', 'error', 'warn', 'info', 'debug', 'trace']).default('info') })
    .prefault({}),
});

/** Durations are in milliseconds, sizes in bytes, cores in thousandths; `null` is "not set". */
export type NodeConfig = z.output<typeof nodeConfig>;
