import { fc, test } from '@fast-check/vitest';
import { describe, expect, it } from 'vitest';
import { identityOf } from '../../../src/identity/key-pair.ts';
import { createNotary, createVerifier } from '../../../src/identity/notary.ts';
import { encodeCanonical } from '../../../src/lib/canonical.ts';
import { contractIdOf } from '../../../src/messages/contract-terms.ts';
import { envelopeOf } from '../../../src/messages/envelope.ts';
import { mostExtBytes } from '../../../src/messages/extension.ts';
import { decodeFrame, encodeFrame } from '../../../src/messages/frame.ts';
import { mostPayloadBytes } from '../../../src/messages/message.ts';
import type { Read } from '../../../src/messages/rejection.ts';
import { searchClosedMessage } from '../../../src/messages/search-closed.ts';
import { servingListMessage } from '../../../src/messages/serving.ts';
import { FakeClock } from '../../simulation/fake-clock.ts';
import { everyMessage } from './every-message.ts';
import * as sample from './samples.ts';

const clock = new FakeClock();
const alice = createNotary(identityOf(new Uint8Array(32).fill(1)), 'testnet', clock);
const bob = createNotary(identityOf(new Uint8Array(32).fill(2)), 'testnet', clock);
const verifier = createVerifier('testnet', clock);
const messages = everyMessage(alice.self, bob.self);
const named = messages.map(([message, value]) => [message.type, message, value] as const);

function codeOf(read: Read<unknown>): string {
  return read.ok ? 'ok' : read.rejection.code;
}

const LONGEST_STALL_MS = 50;

/** Of this thread, whatever else the machine does; the least of three, as garbage comes when it comes. */
function leastCpuMs(work: () => unknown): number {
  let least = Number.POSITIVE_INFINITY;
  for (let attempt = 0; attempt < 3 && least >= LONGEST_STALL_MS; attempt += 1) {
    const before = process.threadCpuUsage();
    work();
    const { user, system } = process.threadCpuUsage(before);
    least = Math.min(least, (user + system) / 1000);
  }
  return least;
}

/** A map of exactly so many canonical bytes. */
function extOf(bytes: number): Readonly<Record<string, unknown>> {
  const around = encodeCanonical({ x: new Uint8Array(bytes) }).length - bytes;
  return { x: new Uint8Array(bytes - around) };
}

/** Signed bytes that this node would not send. */
function smuggled(type: (typeof messages)[number][0]['type'], value: object, ext: unknown): unknown {
  const evidence = alice.sign(type, { ...value, xet: ext });
  // The same bytes with another name; the payload stays canonical, as keys of one length keep their order among others.
  const at = Buffer.from(evidence.payload).indexOf('cxet');
  const payload = Uint8Array.from(evidence.payload);
  payload.set(Buffer.from('cext'), at);
  return { ...envelopeOf(evidence), payload, signature: alice.countersign({ ...evidence, payload }) };
}

describe('the ext of a message', () => {
  it.each(named)('is passed over and stays under the signature: %s', (type, message, value) => {
    const evidence = alice.sign(type, { ...value, ext: { 'org.example/colour': 'blue' } });
    const frame = decodeFrame(encodeFrame({ kind: 'bid', body: envelopeOf(evidence) }), 2 ** 20);
    if (!frame.ok) throw new Error(frame.rejection.detail);
    const read = verifier.open(message, frame.value.body);
    expect(read).toEqual({ ok: true, value: { ...evidence, value } });
    // What is handed on and stored is what was signed.
    expect(read.ok && envelopeOf(read.value)).toEqual(envelopeOf(evidence));
  });

  it.each(named)('has a bound on both sides: %s', (type, message, value) => {
    const most = mostExtBytes(type);
    expect(most).toBe(['bid-request', 'search-closed', 'advert'].includes(type) ? 512 : 4096);
    const longest = alice.sign(type, { ...value, ext: extOf(most) });
    expect(codeOf(verifier.open(message, envelopeOf(longest)))).toBe('ok');
    expect(() => alice.sign(type, { ...value, ext: extOf(most + 1) })).toThrow(/ext has more than/);
    expect(codeOf(verifier.open(message, smuggled(type, value, extOf(most + 1))))).toBe('MALFORMED');
  });

  it.each([[{}], [null], ['text'], [[]], [new Uint8Array(3)], [7]])(
    'is a map that says something: %j',
    (ext) => {
      const notice = { requestId: 'request-1' };
      expect(() => alice.sign('search-closed', { ...notice, ext })).toThrow(/cannot be sent: ext is/);
      expect(codeOf(verifier.open(searchClosedMessage, smuggled('search-closed', notice, ext)))).toBe(
        'MALFORMED',
      );
    },
  );

  it('is part of what a contract is named by', () => {
    const terms = sample.terms(alice.self, bob.self);
    const plain = alice.sign('contract-terms', terms);
    const extended = alice.sign('contract-terms', { ...terms, ext: { 'org.example/ticket': 7 } });
    expect(contractIdOf(extended)).not.toBe(contractIdOf(plain));
  });

  const name = fc.string({ minLength: 1, maxLength: 20 }).filter((text) => text !== '__proto__');
  const anyValue = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.string({ unit: 'binary', maxLength: 40 }),
      fc.maxSafeInteger(),
      fc.boolean(),
      fc.constant(null),
      fc.uint8Array({ maxLength: 40 }),
      fc.double({ noNaN: true, noDefaultInfinity: true }).filter((value) => !Number.isInteger(value)),
      fc.array(tie('value'), { maxLength: 4 }),
      fc.dictionary(name, tie('value'), { maxKeys: 4, noNullPrototype: true }),
    ),
  })).value;
  const known = new Set(messages.flatMap(([, value]) => Object.keys(value)));
  const extra = fc.dictionary(
    name.filter(
      (key) =>
        !known.has(key) &&
        key !== 'ext' &&
        ![
          'fit',
          'invited',
          'reached',
          'trial',
          'runtimeMemory',
          'declineShare',
          'answerFit',
          'inputBytes',
        ].includes(key),
    ),
    anyValue,
    { maxKeys: 4, noNullPrototype: true },
  );
  const ext = fc
    .dictionary(name, anyValue, { minKeys: 1, maxKeys: 4, noNullPrototype: true })
    .filter((map) => encodeCanonical(map).length <= 512);

  test.prop([fc.nat(messages.length - 1), extra, fc.option(ext, { nil: undefined })], { numRuns: 300 })(
    'and any further keys leave a message what it is',
    (index, more, map) => {
      const [message, value] = messages[index] ?? [searchClosedMessage, {}];
      const said = { ...more, ...value, ...(map === undefined ? {} : { ext: map }) };
      fc.pre(encodeCanonical(said).length < message.maxPayloadBytes - 200);
      const evidence = alice.sign(message.type, said);
      expect(verifier.open(message, envelopeOf(evidence))).toEqual({
        ok: true,
        value: { ...evidence, value },
      });
    },
  );

  it('is read to the same depth by every node, whatever the stack of its thread has room for', () => {
    const nested = (levels: number): unknown => (levels === 0 ? 0 : [nested(levels - 1)]);
    const codes = [50, 100, 200, 1000, 2000, 3000].map((levels) => {
      const envelope = smuggled('serving-list', sample.servingList(1), { x: nested(levels) });
      return codeOf(verifier.open(servingListMessage, envelope));
    });
    expect(codes).toEqual(['ok', 'ok', 'MALFORMED', 'MALFORMED', 'MALFORMED', 'MALFORMED']);
  });

  const MARKS = [...'!"#$%&\'()*+,-./:;<=>?@[\\]^_`{|}~'.split(''), '\u{20ac}', '\u0000', '\n'];

  it('costs no more than what it may have, however large it is and whatever it is made of', {
    timeout: 60_000,
  }, () => {
    const dear: unknown[] = [];
    const bytes = mostPayloadBytes(servingListMessage) - 4096;
    const shapes = (mark: string): readonly unknown[] => {
      const count = Math.floor(bytes / Buffer.byteLength(mark));
      return [{ x: mark.repeat(count) }, { x: Array.from({ length: Math.floor(bytes / 8) }, () => mark) }];
    };
    for (const mark of MARKS) {
      for (const value of shapes(mark)) {
        const envelope = smuggled('serving-list', sample.servingList(1), value);
        expect(codeOf(verifier.open(servingListMessage, envelope))).toBe('MALFORMED');
        const cost = leastCpuMs(() => verifier.open(servingListMessage, envelope));
        if (cost >= LONGEST_STALL_MS) dear.push([mark, cost]);
      }
    }
    expect(dear).toEqual([]);
  });
});
