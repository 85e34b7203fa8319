import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { isMap, isPair, isScalar, type Pair, parse, parseDocument, visit } from 'yaml';
import { nodeConfig } from '../../../src/config/schema.ts';
import { leafPaths } from '../../../src/config/schema-walk.ts';
import { DEFAULT_WEIGHTS } from '../../../src/domain/ranking/index.ts';

const text = readFileSync(new URL('../../../config/default.yaml', import.meta.url), 'utf8');

function commentOf(pair: Pair, isFirst: boolean, mapComment: string | null | undefined): string {
  const own = isScalar(pair.key) ? pair.key.commentBefore : undefined;
  return own ?? (isFirst ? mapComment : undefined) ?? '';
}

describe('config/default.yaml', () => {
  it('says exactly what the defaults are', () => {
    expect(nodeConfig.parse(parse(text))).toEqual(nodeConfig.parse({}));
  });

  it('has every key there is, and no other', () => {
    const document = parseDocument(text);
    const keys = leafPaths(nodeConfig);
    expect(keys).toContainEqual(['provider', 'location', 'asn']);
    // What is there only when somebody wants it stands there as a comment.
    const isShown = (path: readonly string[]): boolean => text.includes(`    # ${path.at(-1)}: `);
    expect(keys.filter((path) => !document.hasIn(path) && !isShown(path))).toEqual([]);
    expect(nodeConfig.safeParse(parse(text)).success).toBe(true);
  });

  it('explains every key', () => {
    const sections = new Set(['api', 'p2p', 'provider', 'requester', 'trust', 'retention', 'limits', 'log']);
    const silent: string[] = [];
    visit(parseDocument(text), {
      Map(_key, map) {
        for (const [index, item] of map.items.entries()) {
          if (!isPair(item)) continue;
          const name = String(item.key);
          const isSection = sections.has(name) && isMap(item.value);
          if (!isSection && commentOf(item, index === 0, map.commentBefore) === '') silent.push(name);
        }
      },
    });
    expect(silent).toEqual([]);
  });

  it('compares bids as the ranking does by itself', () => {
    expect(nodeConfig.parse({}).requester.weights).toEqual(DEFAULT_WEIGHTS);
  });
});
