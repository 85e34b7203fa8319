import { posix } from 'node:path';
import type { ImportLine, SourceModel } from './source-model.ts';

/** What a folder or file under src/ may import from other ones; an entry ending in `/` is a folder. */
export interface ImportRow {
  readonly from: string;
  readonly values: readonly string[];
  readonly types: readonly string[];
}

/** Folders of one parent that import each other, also over others, and the files by which they do. */
export function mutualImports(models: readonly SourceModel[]): string[] {
  const levels = new Map<string, Map<string, Map<string, string>>>();
  for (const { path, imports } of models) {
    for (const { specifier } of imports) {
      if (!specifier.startsWith('.')) continue;
      const edge = folderEdge(path, posix.join(posix.dirname(path), specifier));
      if (edge === undefined) continue;
      const folders = levels.get(edge.parent) ?? new Map<string, Map<string, string>>();
      const targets = folders.get(edge.from) ?? new Map<string, string>();
      if (!targets.has(edge.to)) targets.set(edge.to, path);
      levels.set(edge.parent, folders.set(edge.from, targets));
    }
  }
  return [...levels].flatMap(([parent, folders]) => {
    const cycle = cycleIn(folders);
    if (cycle === undefined) return [];
    const files = cycle.slice(1).map((to, index) => folders.get(cycle[index] ?? '')?.get(to) ?? '?');
    return [`${parent}: ${cycle.join(' -> ')} (${files.join(', ')})`];
  });
}

/** The two folders between which an import goes, and the folder that both are in; undefined within one. */
function folderEdge(
  path: string,
  target: string,
): { readonly parent: string; readonly from: string; readonly to: string } | undefined {
  const [own, other] = [posix.dirname(path).split('/'), posix.dirname(target).split('/')];
  let depth = 0;
  while (depth < own.length && own[depth] === other[depth]) depth += 1;
  const [from, to] = [own[depth], other[depth]];
  if (from === undefined || to === undefined) return undefined;
  return { parent: own.slice(0, depth).join('/'), from, to };
}

function cycleIn(folders: ReadonlyMap<string, ReadonlyMap<string, string>>): readonly string[] | undefined {
  const done = new Set<string>();
  const visit = (folder: string, way: readonly string[]): readonly string[] | undefined => {
    if (way.includes(folder)) return [...way.slice(way.indexOf(folder)), folder];
    if (done.has(folder)) return undefined;
    for (const next of folders.get(folder)?.keys() ?? []) {
      const cycle = visit(next, [...way, folder]);
      if (cycle !== undefined) return cycle;
    }
    done.add(folder);
    return undefined;
  };
  for (const folder of folders.keys()) {
    const cycle = visit(folder, []);
    if (cycle !== undefined) return cycle;
  }
  return undefined;
}

/** Where a side effect lives: entries as in {@link ImportRow}. */
export interface PackageOwner {
  readonly packages: RegExp;
  /** Only these imported names; all where left out. */
  readonly names?: RegExp;
  readonly owners: readonly string[];
}

export interface GlobalOwner {
  /** `name` stands for all of it, `name.property` for that property. */
  readonly globals: readonly string[];
  /** Uses that another rule speaks of. */
  readonly except?: readonly string[];
  readonly owners: readonly string[];
}

export interface MemberOwner {
  /** Taken of whatever value. */
  readonly member: string;
  readonly owners: readonly string[];
  /** What to take in its place. */
  readonly instead: string;
}

/** Figures of today for what is already too large; they may only go down. */
export type Ratchet = Readonly<Record<string, number>>;

const FORBIDDEN_NAME = /(^|[-.])(utils?|helpers?|common|managers?|shared)$/i;
const PROTOCOL_SHAPE = /^\/[\w*.-]+(\/[\w*.-]+)*\/\d+(\.\d+)*$/;
const PROTOCOL_CONTEXT = /(protocol|topic)_?(names?|ids?|for|of)?s?$/i;
/** What a spec may write where the code has a hole: `<network>`, `{network}` or a sample name. */
const HOLE = String.raw`(?:<[^>\n]+>|\$?\{[^}\n]+\}|[\w.-]+)`;

function matches(path: string, entries: readonly string[]): boolean {
  return entries.some((entry) => (entry.endsWith('/') ? path.startsWith(entry) : path === entry));
}

function inSource(path: string): string {
  return path.replace(/^src\//, '');
}

function partOf(path: string): string {
  const slash = path.indexOf('/');
  return slash < 0 ? path : path.slice(0, slash + 1);
}

function importViolation(model: SourceModel, line: ImportLine, row: ImportRow): string | undefined {
  if (!line.specifier.startsWith('.')) return undefined;
  const target = posix.join(posix.dirname(model.path), line.specifier);
  if (target === 'package.json') return undefined;
  if (!target.startsWith('src/')) return `${model.path} imports ${target}, which is outside src/`;
  const imported = inSource(target);
  if (partOf(imported) === row.from || matches(imported, row.values)) return undefined;
  if (line.typeOnly && matches(imported, row.types)) return undefined;
  return `${model.path} must not import ${line.typeOnly ? 'types' : 'values'} from ${target}`;
}

/** Imports against the direction of the table, `export *`, and folders the table does not know. */
export function importViolations(model: SourceModel, rows: readonly ImportRow[]): string[] {
  const row = rows.find((candidate) => candidate.from === partOf(inSource(model.path)));
  if (row === undefined) return [`${model.path} is in no row of the import table`];
  return model.imports.flatMap((line) => {
    const found = line.exportsAll ? [`${model.path} exports * from ${line.specifier}`] : [];
    const violation = importViolation(model, line, row);
    return violation === undefined ? found : [...found, violation];
  });
}

export function packageViolations(model: SourceModel, owners: readonly PackageOwner[]): string[] {
  return model.imports.flatMap((line) =>
    owners
      .filter((rule) => rule.packages.test(line.specifier) && !matches(inSource(model.path), rule.owners))
      .filter((rule) => {
        const pattern = rule.names;
        return pattern === undefined || line.names.some((name) => name === '*' || pattern.test(name));
      })
      .map(
        (rule) => `${model.path} must not import ${line.specifier}: it belongs to ${rule.owners.join(', ')}`,
      ),
  );
}

export function globalViolations(model: SourceModel, owners: readonly GlobalOwner[]): string[] {
  const used = [...model.globals].map((use) => use.replace(/^globalThis\./, ''));
  return owners
    .filter((rule) => !matches(inSource(model.path), rule.owners))
    .flatMap((rule) =>
      used
        .filter((use) => rule.globals.some((name) => use === name || use.startsWith(`${name}.`)))
        .filter((use) => rule.except?.includes(use) !== true)
        .map((use) => `${model.path} must not use ${use}: it belongs to ${rule.owners.join(', ')}`),
    );
}

export function memberViolations(model: SourceModel, rules: readonly MemberOwner[]): string[] {
  return rules
    .filter(({ member, owners }) => model.members.has(member) && !matches(inSource(model.path), owners))
    .map(
      ({ member, owners, instead }) =>
        `${model.path} must not read ${member}, which is for ${owners.join(', ')}: take ${instead}`,
    );
}

export function nameViolations(path: string): string[] {
  return path
    .split('/')
    .filter((segment) => FORBIDDEN_NAME.test(segment.replace(/\..*$/, '')))
    .map((segment) => `${path}: "${segment}" says nothing about what is inside`);
}

function sizeViolation(what: string, size: number, limit: number, ratchet: Ratchet): string[] {
  const allowed = ratchet[what];
  if (size > (allowed ?? limit)) return [`${what} has ${size} lines, the limit is ${allowed ?? limit}`];
  if (allowed !== undefined && size < allowed) {
    return [
      `${what} has shrunk to ${size} lines: ${size > limit ? `lower its exception` : `remove its exception`}`,
    ];
  }
  return [];
}

/** Files and functions over their limit or over their exception; exceptions are `path` or `path#function`. */
export function sizeViolations(
  model: SourceModel,
  limits: { readonly fileLines: number; readonly functionLines: number },
  ratchet: Ratchet,
): string[] {
  return [
    ...sizeViolation(model.path, model.lineCount, limits.fileLines, ratchet),
    ...model.functions.flatMap((fn) =>
      sizeViolation(
        `${model.path}#${fn.name || `line ${fn.line}`}`,
        fn.lineCount,
        limits.functionLines,
        ratchet,
      ),
    ),
  ];
}

function isProtocolText(text: string, context: string): boolean {
  if (text.replaceAll('*', '').replaceAll('/', '') === '') return false;
  return text.includes('/bidmesh/') || PROTOCOL_SHAPE.test(text) || PROTOCOL_CONTEXT.test(context);
}

/** Protocol ids, topics and signing domains of network/ and messages/ that no page of specs/ names. */
export function protocolViolations(model: SourceModel, specs: readonly string[]): string[] {
  if (!matches(inSource(model.path), ['network/', 'messages/'])) return [];
  return model.texts
    .filter(({ text, context }) => isProtocolText(text, context))
    .filter(({ text }) => {
      const pattern = text.split('*').map((part) => part.replace(/[.+?^${}()|[\]\\]/g, String.raw`\$&`));
      const named = new RegExp(pattern.join(HOLE));
      return !specs.some((page) => named.test(page));
    })
    .map(({ text }) => `${model.path}: "${text}" is named in no file of specs/`);
}
