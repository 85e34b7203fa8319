import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { NODE_FEATURES } from '../../../src/domain/market/features.ts';
import { mostExtBytes } from '../../../src/messages/extension.ts';
import { MESSAGE_VERSIONS } from '../../../src/messages/versions.ts';
import { everyMessage } from '../messages/every-message.ts';
import { parseValue } from './limit-values.ts';
import { sectionOf, tablesOf } from './markdown.ts';

const page = readFileSync('specs/protocols/envelope.md', 'utf8');

function rowsOf(section: string, firstColumn: string): readonly (readonly string[])[] {
  const table = tablesOf(sectionOf(page, section)).find(({ header }) => header[0] === firstColumn);
  return (table?.rows ?? []).map(([name = '', ...cells]) => [name.replaceAll('`', ''), ...cells]);
}

it('specs/protocols/envelope.md has the version of every message, and how large it may be', () => {
  const stated = rowsOf('Checks', 'type').map(([type, version, , payload = '', ext = '']) => [
    type,
    Number(version),
    parseValue('payloadBytes', payload.replace(/,.*/, '')),
    parseValue('extBytes', ext),
  ]);
  const spoken = everyMessage('', '').map(
    ([{ type, maxPayloadBytes }]) =>
      [type, [type, MESSAGE_VERSIONS[type], maxPayloadBytes, mostExtBytes(type)]] as const,
  );
  expect(stated).toEqual([...new Map(spoken).values()]);
});

it('specs/protocols/envelope.md has every feature that a node tells', () => {
  expect(rowsOf('Features', 'feature').map(([name]) => name)).toEqual(NODE_FEATURES);
});
