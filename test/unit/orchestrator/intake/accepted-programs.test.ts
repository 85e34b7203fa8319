import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { jobDescription } from '../../../../src/domain/job/job-description.ts';
import { jobLimits } from '../../../../src/domain/job/job-limits.ts';
import type { Invocation } from '../../../../src/domain/program/task.ts';
import { decodeFrame, encodeFrame } from '../../../../src/messages/frame.ts';
import { contractTermsMessage } from '../../../../src/messages/contract-terms.ts';
import { invocationSchema } from '../../../../src/messages/invocation.ts';
import { proposalToWire } from '../../../../src/messages/proposal.ts';
import { defaultNetworkLimits } from '../../../../src/network/options.ts';
import { processJob } from '../../../../src/orchestrator/intake/process-job.ts';
import { invocationOf } from '../../../../src/orchestrator/negotiation/terms.ts';
import { checkProposal } from '../../../../src/provider/bidding/proposal-check.ts';
import { refuseTask } from '../../../../src/provider/sandbox/task-check.ts';
import { BiddingDesk, PROVIDER } from '../../provider/bidding/bidding-desk.ts';
import { MODULE_CID, NOW, REQUESTER, requestOf } from '../../fakes/market.ts';

const FRAME_BYTES = defaultNetworkLimits.protocols.negotiation.maxFrameBytes;

/** Parts of paths that somebody wrote once, or could. */
const NAMES = [
  'a',
  'b',
  'in',
  'out',
  'tmp',
  'job',
  'main.py',
  '.',
  '..',
  '...',
  '',
  ' ',
  'a b',
  'a=b',
  'é',
  '-',
];
const ODD_NAMES = [
  'e\u0301',
  '\0',
  '\ud800',
  '\u{1f600}',
  'x'.repeat(255),
  'x'.repeat(256),
  'é'.repeat(128),
  '*',
];
const step = fc.constantFrom(...NAMES, ...ODD_NAMES);
const path = fc
  .tuple(fc.constantFrom('/', '', '//'), fc.array(step, { maxLength: 4 }), fc.constantFrom('', '/', '//'))
  .map(([start, names, end]) => `${start}${names.join('/')}${end}`);
const TEXTS = [
  '',
  'a',
  'a\0b',
  '\udce9',
  '\ud83d\ude00',
  'a=b',
  '--',
  'é',
  '\r\n',
  '\u{10ffff}',
  '\u2028',
  '"\\',
];
const LONG_TEXTS = ['x'.repeat(8192), '\u20ac'.repeat(8192), '\u0001'.repeat(8192)];
const text = fc.constantFrom(...TEXTS, ...LONG_TEXTS);
const envName = fc.constantFrom(
  'A',
  'B',
  '_c',
  '',
  '1',
  'A=B',
  'A\0',
  'Ä',
  '\ud800',
  'x'.repeat(128),
  'HOME',
);
const outputName = fc.constantFrom(
  'a',
  'b',
  'A',
  'a/b',
  '..',
  '.',
  '',
  'a:b',
  'x'.repeat(64),
  'x'.repeat(65),
);

const description = fc.record({
  engine: fc.record({
    type: fc.constant('python'),
    params: fc.record({
      script: fc.constant({ text: 'print(1)' }),
      args: fc.oneof(
        fc.array(text, { maxLength: 4 }),
        fc.tuple(text, fc.nat({ max: 300 })).map(([one, times]) => Array(times).fill(one)),
      ),
      env: fc.dictionary(envName, text, { maxKeys: 3 }),
      stdin: fc.oneof(
        text,
        fc.record({ text }),
        fc.constant({ base64: 'AA==' }),
        fc.constant('\u20ac'.repeat(65_536)),
        fc.constant('x'.repeat(65_537)),
      ),
    }),
  }),
  inputs: fc.array(fc.record({ target: path, source: fc.constant({ text: 'x' }) }), { maxLength: 4 }),
  outputs: fc.array(fc.record({ name: outputName, path }), { maxLength: 3 }),
});

async function accepted(job: unknown): Promise<Invocation | undefined> {
  const parsed = jobDescription.safeParse(job);
  if (!parsed.success) return undefined;
  const options = { defaultOrchestrationType: 'pull', defaultSearchTimeoutMs: 5000 } as const;
  const posted = await processJob(parsed.data, { id: 'job', submitter: 'me', now: NOW }, options, {
    put: (bytes) => Promise.resolve({ cid: MODULE_CID, size: bytes.length }),
    sizeOf: () => Promise.resolve(1),
  });
  return invocationOf(posted, 0);
}

/** What everybody behind the post says of what it took: nothing, where all is well. */
async function refusalsOf(invocation: Invocation | undefined): Promise<readonly unknown[]> {
  if (invocation === undefined) return [];
  const desk = new BiddingDesk();
  const { type, args, env, stdin } = invocation.engine;
  const changes = { requirements: { ...requestOf().requirements, engine: { type: 'wasm' as const } } };
  const bid = await desk.locked(changes);
  const open = desk.bidder.bidOf(REQUESTER, bid.bidId);
  const asBid =
    open === undefined
      ? undefined
      : {
          ...open,
          request: { ...open.request, requirements: { ...open.request.requirements, engine: { type } } },
        };
  const proposal = desk.proposal(bid, {}, invocation);
  const frame = encodeFrame({ kind: 'proposal', body: proposalToWire(proposal) });
  const withLongestTerms =
    frame.length - proposal.terms.payload.length + contractTermsMessage.maxPayloadBytes;
  const refused = refuseTask(type, {
    executionId: 'job.v1.p0r0.a1',
    folder: '/nowhere',
    run: 1,
    content: {},
    params: {},
    args,
    env: { BIDMESH_JOB_ID: 'j'.repeat(64), BIDMESH_EXECUTION_ID: 'e'.repeat(128), ...env },
    stdin: typeof stdin === 'string' ? stdin : { hostPath: '/nowhere/stdin' },
    inputs: invocation.inputs.map(({ target }, index) => ({ target, hostPath: `/nowhere/${index}` })),
    outputs: invocation.outputs,
    limits: { wallClockMs: 1, memoryBytes: 1, outputBytes: 1, outputFiles: 1 },
  });
  return [
    withLongestTerms > FRAME_BYTES ? `a frame of ${withLongestTerms} bytes` : undefined,
    decodeFrame(frame, FRAME_BYTES).ok ? undefined : 'a frame that cannot be read',
    invocationSchema.safeParse(invocation).error,
    checkProposal(proposal, { requester: REQUESTER, provider: PROVIDER }, asBid),
    refused,
  ].filter((refusal) => refusal !== undefined);
}

describe('what the post takes', () => {
  test.prop([description], { numRuns: 400 })('is refused by nobody behind it', async (job) => {
    const invocation = await accepted(job);
    expect(await refusalsOf(invocation)).toEqual([]);
  });

  it('is taken up to the last byte of its bound, whatever it is made of', async () => {
    const wide = '\u20ac'.repeat(8192);
    const engine = (args: readonly string[], stdin: string) => ({
      engine: { type: 'python', params: { script: { text: 'x' }, args, stdin } },
    });
    const whole = Math.floor(jobLimits.programBytes / Buffer.byteLength(wide));
    const rest = jobLimits.programBytes - whole * Buffer.byteLength(wide);
    const args = Array<string>(whole).fill(wide);
    const invocation = await accepted(engine(args, 'x'.repeat(rest)));
    expect(invocation?.engine.stdin).toHaveLength(rest);
    expect(await refusalsOf(invocation)).toEqual([]);
    expect(await accepted(engine(args, 'x'.repeat(rest + 1)))).toBeUndefined();
  });

  it('is taken with the most inputs, outputs and variables, each as long as it may be', async () => {
    const long = (index: number): string => `/${index}/${'\u20ac'.repeat(84)}/${'y'.repeat(250)}`;
    const invocation = await accepted({
      engine: {
        type: 'python',
        params: {
          script: { text: 'x' },
          env: Object.fromEntries(
            Array.from({ length: jobLimits.envVariables }, (_, index) => [
              `${'V'.repeat(120)}${index}`,
              'v'.repeat(8000),
            ]),
          ),
        },
      },
      inputs: Array.from({ length: jobLimits.inputs }, (_, index) => ({
        target: long(index),
        source: { text: '' },
      })),
      outputs: Array.from({ length: jobLimits.outputs }, (_, index) => ({
        name: `n${index}`.padEnd(64, 'n'),
        path: long(index + jobLimits.inputs),
      })),
    });
    expect(invocation?.inputs).toHaveLength(jobLimits.inputs);
    expect(await refusalsOf(invocation)).toEqual([]);
  });
});
