import { expect, it } from 'vitest';
import { MOST_EXCLUDED } from '../../../src/domain/market/bid.ts';
import { jobConstraints } from '../../../src/domain/job/job-constraints.ts';
import { jobLimits } from '../../../src/domain/job/job-limits.ts';
import { REACHED_TAG_LENGTH } from '../../../src/domain/market/reached.ts';
import { encodeCanonical } from '../../../src/lib/canonical.ts';
import { bidRequestMessage } from '../../../src/messages/bid-request.ts';
import { bidRequest } from './samples.ts';

const WIDE = '\u{20ac}';
const MOST_RECORD_BYTES = 4096;
const MOST_REACHED = 64;
/** Version, network name, time, and the names of all that. */
const AROUND_THE_VALUE_BYTES = 512;

/** As long as a job may have them, to the last value of eight bytes that still fits. */
function longestConstraints() {
  const schema = jobConstraints(jobLimits);
  const hard = (count: number) =>
    Array.from({ length: Math.ceil(count / 32) }, (_, at) => ({
      key: `label.${at}`,
      operator: 'In',
      values: Array.from({ length: Math.min(32, count - at * 32) }, (_value, index) =>
        `${at * 32 + index}`.padStart(8, '0'),
      ),
    }));
  const soft = Array.from({ length: 4 }, (_, at) => ({
    key: `label.${at}`,
    operator: 'NotIn',
    values: Array.from({ length: 12 }, () => WIDE.repeat(128)),
  }));
  let longest = schema.parse({ hard: hard(1), soft });
  for (let count = 2; ; count += 1) {
    const next = schema.safeParse({ hard: hard(count), soft });
    if (!next.success) return longest;
    longest = next.data;
  }
}

it('the largest request that a job can lead to is one that its receivers take', () => {
  const constraints = longestConstraints();
  expect(encodeCanonical(constraints).length).toBeGreaterThan(jobLimits.constraintBytes - 64);
  const peer = `12D3KooW${'a'.repeat(44)}`;
  const gpu = {
    count: 64,
    vendor: 'nvidia',
    model: WIDE.repeat(64),
    vramBytes: 2 ** 50,
    driver: '>'.repeat(64),
    computeCapability: '>'.repeat(64),
  };
  const { requirements } = bidRequest();
  const request = bidRequest({
    requestId: 'r'.repeat(128),
    jobId: 'j'.repeat(128),
    requirements: {
      ...requirements,
      resources: { ...requirements.resources, gpus: Array.from({ length: jobLimits.gpuGroups }, () => gpu) },
      constraints,
    },
    answerFit: { least: 500, best: 1000 },
    declineShare: 0.123_456_789,
    exclude: Array.from({ length: MOST_EXCLUDED }, () => peer),
    reached: Array.from({ length: MOST_REACHED }, () => 'x'.repeat(REACHED_TAG_LENGTH)),
    requesterRecord: new Uint8Array(MOST_RECORD_BYTES),
  });
  expect(bidRequestMessage.schema.safeParse(request).success).toBe(true);
  const bytes = encodeCanonical(request).length + AROUND_THE_VALUE_BYTES;
  expect(bytes).toBeLessThanOrEqual(bidRequestMessage.maxPayloadBytes);
});
