import { describe, expect, it } from 'vitest';
import { DocumentReader } from '../../../src/api/document-reader.ts';
import { checkJob } from '../../../src/api/job-body.ts';
import { apiDefaults } from '../../../src/api/options.ts';
import { parseContentId } from '../../../src/content/content-id.ts';
import { decodeNode } from '../../../src/content/unixfs-node.ts';
import { rangeProblem, versionInRange } from '../../../src/domain/units/version-range.ts';
import { decodeCanonical, isContentId, rawContentIdOf } from '../../../src/lib/canonical.ts';
import { systemClock } from '../../../src/lib/clock.ts';
import { CodedError } from '../../../src/lib/coded-error.ts';
import { DocumentFault } from '../../../src/lib/documents/document-fault.ts';
import { parseRocmJson } from '../../../src/provider/resources/gpu-amd.ts';
import { parseNvidiaCsv } from '../../../src/provider/resources/gpu-nvidia.ts';

/** A stall as the main thread sees it. */
const LONGEST_STALL_MS = 50;
const MEGABYTES = 2 * 1024 * 1024;
const MARKS = [
  ...'{}[],:?-#&*!|>%@`"\'\\~^$().;/=+<_ \t\n\ra1z0'.split(''),
  'ü',
  '\u0000',
  '\u2028',
  '\u{1F600}',
];
const PAIRS = [
  '- ',
  '? ',
  ': ',
  '::',
  'a: ',
  'a\n',
  '- a\n',
  '\\q',
  '\\n',
  '\\ud800',
  '[],',
  '{},',
  '"",',
  '"a":1,',
  '&a *a ',
  '!t ',
  '---\n',
  '# c\n',
  ' \n',
  '||',
  '>=1 ',
  '1.',
  ',"',
  '"\n',
];
const HOSTILE = [...MARKS, ...PAIRS];

function filled(mark: string, bytes: number): string {
  return mark.repeat(Math.ceil(bytes / Buffer.byteLength(mark)));
}

/** Of the thread that calls: what other processes do makes no difference. */
function cpuMs(): number {
  const { user, system } = process.threadCpuUsage();
  return (user + system) / 1000;
}

/** The least of three, as garbage and compilation come when they come. */
function costOf(work: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3 && least >= LONGEST_STALL_MS; attempt += 1) {
    const before = cpuMs();
    try {
      work();
    } catch (error) {
      if (!(error instanceof CodedError || error instanceof DocumentFault)) throw error;
    }
    least = Math.min(least, cpuMs() - before);
  }
  return least;
}

/** The texts that cost more than they may, by their beginnings. */
function dearAmong(texts: readonly string[], work: (text: string) => unknown): readonly unknown[] {
  return texts
    .map((text) => [text.slice(0, 8), costOf(() => work(text))] as const)
    .filter(([, ms]) => ms >= LONGEST_STALL_MS);
}

describe('a posted document of megabytes of one mark', () => {
  it.each(['json', 'yaml'] as const)(
    'does not hold up what else is done: %s',
    async (format) => {
      // Whatever takes longer is given up; here soon, so that the test is.
      const reader = new DocumentReader(systemClock, { ...apiDefaults, longestReadMs: 30 });
      const dear: unknown[] = [];
      const texts = [
        ...MARKS.map((mark) => filled(mark, MEGABYTES)),
        ...PAIRS.map((pair) => `a: "${filled(pair, MEGABYTES)}`),
      ];
      for (const text of texts) {
        const started = cpuMs();
        const refusal = await reader.read(Buffer.from(text), format).then(
          () => undefined,
          (error: unknown) => error,
        );
        expect(refusal ?? new DocumentFault('syntax', undefined)).toBeInstanceOf(DocumentFault);
        const spent = cpuMs() - started;
        if (spent >= LONGEST_STALL_MS) dear.push([text.slice(0, 8), spent]);
      }
      await reader.stop();
      expect(dear).toEqual([]);
    },
    60_000,
  );

  it.each([
    ['json', apiDefaults.jsonAtOnceBytes],
    ['yaml', apiDefaults.yamlAtOnceBytes],
  ] as const)('nor does one that is just short enough to be read at once: %s', (format, most) => {
    const reader = new DocumentReader(systemClock, apiDefaults);
    const texts = HOSTILE.flatMap((mark) =>
      ['', 'a: "', '{"a":"', 'a: |\n  '].map((before) => before + filled(mark, most - 16)),
    );
    expect(
      dearAmong(texts, (text) => {
        const bytes = Buffer.from(text).subarray(0, most);
        // What is read at once has been by the time the promise is there.
        reader.read(bytes, format).catch(() => {});
      }),
    ).toEqual([]);
  });
});

describe('text that a field gets', () => {
  const fields: readonly ((text: string) => unknown)[] = [
    (text) => ({ name: text }),
    (text) => ({ labels: { a: text } }),
    (text) => ({ engine: { type: text, params: {} } }),
    (text) => ({ engine: { type: 'wasm', params: { module: { cid: text } } } }),
    (text) => ({ engine: { type: 'python', params: { script: { base64: text } } } }),
    (text) => ({
      engine: { type: 'python', params: { script: { text: 'x' }, args: [text], env: { A: text } } },
    }),
    (text) => ({ resources: { cpu: text, memory: text, disk: text } }),
    (text) => ({
      resources: { gpus: [{ vendor: text, model: text, driver: text, computeCapability: text }] },
    }),
    (text) => ({ constraints: { hard: [{ key: text, operator: 'In', values: [text] }] } }),
    (text) => ({
      constraints: { hard: [{ key: 'gpu.driver', operator: 'InVersionRange', values: [text] }] },
    }),
    (text) => ({ budget: { maxPrice: text, currency: text } }),
    (text) => ({ timeouts: { queue: text, execution: text } }),
    (text) => ({ inputs: [{ target: text, source: { cid: text } }], outputs: [{ name: text, path: text }] }),
    (text) => ({ preferredProviders: [text], excludedProviders: [text] }),
  ];

  it('is refused as soon as it is too long', () => {
    const texts = HOSTILE.flatMap((mark) =>
      ['', 'z', '/', '>=', '12D3KooW'].map((before) => before + filled(mark, 50_000)),
    );
    for (const field of fields) expect(dearAmong(texts, (text) => checkJob(field(text)))).toEqual([]);
  }, 60_000);

  it.each([
    ['a content id', (text: string): unknown => isContentId(text)],
    ['a content id of the store', (text: string): unknown => parseContentId(text)],
    ['a range', (text: string): unknown => rangeProblem(text)],
    ['a version', (text: string): unknown => versionInRange(text, '>=1')],
    ['a range that is compared', (text: string): unknown => versionInRange('1.2.3', text)],
  ])('as %s too', (_what, read) => {
    expect(
      dearAmong(
        HOSTILE.flatMap((mark) =>
          ['', 'z', 'b', 'Q', '>='].map((before) => before + filled(mark, 1_000_000)),
        ),
        read,
      ),
    ).toEqual([]);
  });
});

describe('bytes and text of programs and peers', () => {
  /** No frame and no block is larger. */
  const FRAME_BYTES = 1024 * 1024;
  const SMALL_PRINT_BYTES = 64 * 1024;

  it('in canonical CBOR', () => {
    const heads = [
      0x00, 0x20, 0x40, 0x60, 0x80, 0x81, 0x9b, 0x9f, 0xa0, 0xa1, 0xbb, 0xc0, 0xd8, 0xf4, 0xfb, 0xff,
    ];
    for (const head of heads) {
      const bytes = Buffer.alloc(FRAME_BYTES, head);
      expect([head, costOf(() => decodeCanonical(bytes)) < LONGEST_STALL_MS]).toEqual([head, true]);
    }
  });

  it('in a UnixFS node', () => {
    const leaf = rawContentIdOf(new Uint8Array());
    const node = parseContentId(leaf.replace('bafkrei', 'bafybei'));
    if (node === undefined) throw new Error('no content id');
    for (const head of [0x00, 0x08, 0x0a, 0x12, 0x1a, 0x20, 0x22, 0x7f, 0x80, 0xff]) {
      const bytes = Buffer.alloc(FRAME_BYTES, head);
      expect([head, costOf(() => decodeNode(node, bytes)) < LONGEST_STALL_MS]).toEqual([head, true]);
    }
  });

  it('in the answers of tools about GPUs', () => {
    const texts = HOSTILE.flatMap((mark) =>
      ['', '{', '0, "'].map((before) => before + filled(mark, SMALL_PRINT_BYTES)),
    );
    expect(dearAmong(texts, parseNvidiaCsv)).toEqual([]);
    expect(dearAmong(texts, parseRocmJson)).toEqual([]);
  });
});
