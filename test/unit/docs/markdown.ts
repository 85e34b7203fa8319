import { existsSync, globSync, readFileSync } from 'node:fs';
import { posix } from 'node:path';

/** Every page of the repository that people read, by its path. */
export function readPages(): ReadonlyMap<string, string> {
  const paths = globSync('{*.md,{specs,test,config,features}/**/*.md}').map((path) =>
    path.replaceAll('\\', '/'),
  );
  return new Map(paths.sort().map((path) => [path, readFileSync(path, 'utf8')]));
}

/** The text of a page below the heading `title`, up to the next heading of the same or a higher level. */
export function sectionOf(page: string, title: string): string {
  const lines = page.split('\n');
  const start = lines.findIndex((line) => /^#+ /.test(line) && line.replace(/^#+ /, '') === title);
  if (start < 0) throw new RangeError(`there is no heading "${title}"`);
  const level = /^#+/.exec(lines[start] ?? '')?.[0].length ?? 1;
  const length = lines.slice(start + 1).findIndex((line) => {
    const marks = /^(#+) /.exec(line)?.[1];
    return marks !== undefined && marks.length <= level;
  });
  return lines.slice(start + 1, length < 0 ? undefined : start + 1 + length).join('\n');
}

export interface Table {
  readonly header: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

function cellsOf(line: string): string[] {
  const inner = line.trim().replace(/^\|/, '').replace(/\|$/, '');
  return inner.split('|').map((cell) => cell.trim());
}

export function tablesOf(text: string): readonly Table[] {
  const blocks = text
    .split(/\n(?!\|)/)
    .map((block) => block.split('\n').filter((line) => line.startsWith('|')));
  return blocks.flatMap(([header, rule, ...rows]) =>
    header === undefined || rule === undefined || !/^[|\s:-]+$/.test(rule)
      ? []
      : [{ header: cellsOf(header), rows: rows.map(cellsOf) }],
  );
}

/** The contents of fenced code blocks, by language. */
export function codeBlocks(page: string, language: string): readonly string[] {
  const found = page.matchAll(/^```(\w*)\n([\s\S]*?)^```$/gm);
  return [...found].flatMap(([, of, code]) => (of === language && code !== undefined ? [code] : []));
}

/** The anchor that a heading gets. */
function anchorOf(heading: string): string {
  return heading
    .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
    .trim()
    .replaceAll(' ', '-');
}

function withoutCode(page: string): string {
  return page.replaceAll(/^```[\s\S]*?^```$/gm, '');
}

/** Relative links of a page that lead nowhere, as sentences. */
export function brokenLinks(path: string, pages: ReadonlyMap<string, string>): readonly string[] {
  const text = withoutCode(pages.get(path) ?? '');
  const targets = [...text.matchAll(/\]\(([^)\s]+)\)/g)].map(([, target = '']) => target);
  return targets.flatMap((target) => {
    if (/^[a-z]+:/.test(target)) return [];
    const [file = '', anchor] = target.split('#');
    const full = file === '' ? path : posix.normalize(posix.join(posix.dirname(path), file));
    if (!pages.has(full) && !existsSync(full)) return [`${path} links to ${target}, which is not there`];
    const page = pages.get(full);
    if (anchor === undefined || page === undefined) return [];
    const anchors = [...withoutCode(page).matchAll(/^#+ (.+)$/gm)].map(([, heading = '']) =>
      anchorOf(heading),
    );
    return anchors.includes(anchor) ? [] : [`${path} links to ${target}, a heading that is not there`];
  });
}
