import { parseAst } from 'vitest/node';

export interface ImportLine {
  readonly specifier: string;
  /** `import type` or `export type`: nothing is left of it at run time. */
  readonly typeOnly: boolean;
  /** Imported names; `*` for a namespace. */
  readonly names: readonly string[];
  readonly exportsAll: boolean;
}

export interface TextConstant {
  /** A string literal, or a template whose holes are written `*`. */
  readonly text: string;
  /** The variable, property or called function the text stands in, where there is one. */
  readonly context: string;
}

/** What the rules ask about one source file. */
export interface SourceModel {
  /** Relative to the repository, with forward slashes. */
  readonly path: string;
  readonly lineCount: number;
  readonly imports: readonly ImportLine[];
  /** Names used as values that the file does not bind: `name` alone, or `name.property` where one is taken of it. */
  readonly globals: ReadonlySet<string>;
  /** Names of what is taken of some value: `value.name`, `value['name']` and `{ name }` of a pattern. */
  readonly members: ReadonlySet<string>;
  readonly functions: readonly { readonly name: string; readonly line: number; readonly lineCount: number }[];
  readonly texts: readonly TextConstant[];
}

interface SyntaxNode {
  readonly type: string;
  readonly start: number;
  readonly end: number;
  readonly [key: string]: unknown;
}

const FUNCTION_TYPES = new Set(['FunctionDeclaration', 'FunctionExpression', 'ArrowFunctionExpression']);
/** TypeScript nodes that hold a value expression; every other `TS…` node is a type and has no effect. */
const VALUE_WRAPPERS = new Set([
  'TSAsExpression',
  'TSSatisfiesExpression',
  'TSNonNullExpression',
  'TSTypeAssertion',
  'TSInstantiationExpression',
]);
/** Where an identifier is a name in its parent and not a use of a variable. */
const NAME_POSITIONS: Readonly<Record<string, string>> = {
  MemberExpression: 'property',
  Property: 'key',
  MethodDefinition: 'key',
  PropertyDefinition: 'key',
  AccessorProperty: 'key',
};
const NO_VARIABLES = new Set([
  'ImportDeclaration',
  'ExportSpecifier',
  'MetaProperty',
  'LabeledStatement',
  'BreakStatement',
  'ContinueStatement',
]);

function isNode(value: unknown): value is SyntaxNode {
  return typeof value === 'object' && value !== null && 'type' in value && typeof value.type === 'string';
}

function nodeAt(node: SyntaxNode, key: string): SyntaxNode | undefined {
  const value = node[key];
  return isNode(value) ? value : undefined;
}

function nodesAt(node: SyntaxNode, key: string): SyntaxNode[] {
  const value = node[key];
  return Array.isArray(value) ? value.filter(isNode) : [];
}

function textAt(node: SyntaxNode | undefined, key: string): string | undefined {
  const value = node?.[key];
  return typeof value === 'string' ? value : undefined;
}

function childrenOf(node: SyntaxNode): { key: string; child: SyntaxNode }[] {
  const children: { key: string; child: SyntaxNode }[] = [];
  for (const [key, value] of Object.entries(node)) {
    for (const child of Array.isArray(value) ? value : [value]) {
      if (isNode(child)) children.push({ key, child });
    }
  }
  return children;
}

/** Every value node with the nodes around it, innermost last. Types are left out. */
function walk(
  node: SyntaxNode,
  around: readonly SyntaxNode[],
  key: string,
  visit: (node: SyntaxNode, around: readonly SyntaxNode[], key: string) => void,
): void {
  if (node.type.startsWith('TS') && !VALUE_WRAPPERS.has(node.type)) return;
  visit(node, around, key);
  const inside = [...around, node];
  for (const { key: childKey, child } of childrenOf(node)) walk(child, inside, childKey, visit);
}

function boundNames(pattern: SyntaxNode): string[] {
  switch (pattern.type) {
    case 'Identifier':
      return [textAt(pattern, 'name') ?? ''];
    case 'ObjectPattern':
      return nodesAt(pattern, 'properties').flatMap((property) =>
        boundNames(nodeAt(property, 'value') ?? nodeAt(property, 'argument') ?? property),
      );
    case 'ArrayPattern':
      return nodesAt(pattern, 'elements').flatMap(boundNames);
    case 'AssignmentPattern':
      return boundNames(nodeAt(pattern, 'left') ?? pattern);
    case 'RestElement':
      return boundNames(nodeAt(pattern, 'argument') ?? pattern);
    default:
      return [];
  }
}

function bindingsOf(node: SyntaxNode): string[] {
  const patterns = [
    ...(FUNCTION_TYPES.has(node.type) ? nodesAt(node, 'params') : []),
    ...(['VariableDeclarator', 'FunctionDeclaration', 'ClassDeclaration'].includes(node.type)
      ? [nodeAt(node, 'id')]
      : []),
    ...(node.type === 'CatchClause' ? [nodeAt(node, 'param')] : []),
    ...(node.type.startsWith('Import') ? [nodeAt(node, 'local')] : []),
  ];
  return patterns.flatMap((pattern) => (pattern === undefined ? [] : boundNames(pattern)));
}

function importOf(node: SyntaxNode): ImportLine | undefined {
  const specifier = textAt(nodeAt(node, 'source'), 'value');
  if (specifier === undefined) return undefined;
  const kind = textAt(node, 'importKind') ?? textAt(node, 'exportKind');
  const names = nodesAt(node, 'specifiers').map((part) => {
    const imported = nodeAt(part, 'imported') ?? nodeAt(part, 'local');
    const named = part.type === 'ImportSpecifier' || part.type === 'ExportSpecifier';
    return named ? (textAt(imported, 'name') ?? '*') : '*';
  });
  const exportsAll = node.type === 'ExportAllDeclaration';
  const everything = exportsAll || node.type === 'ImportExpression';
  return { specifier, typeOnly: kind === 'type', names: everything ? ['*'] : names, exportsAll };
}

function textOf(node: SyntaxNode): string | undefined {
  if (node.type === 'Literal') return textAt(node, 'value');
  if (node.type !== 'TemplateLiteral') return undefined;
  const parts = nodesAt(node, 'quasis').map((quasi) => {
    const value = quasi['value'];
    return typeof value === 'object' && value !== null && 'cooked' in value ? String(value.cooked) : '';
  });
  return parts.join('*');
}

function nameOf(node: SyntaxNode | undefined): string {
  if (node === undefined) return '';
  if (node.type === 'CallExpression') return nameOf(nodeAt(node, 'callee'));
  if (node.type === 'MemberExpression') return nameOf(nodeAt(node, 'property'));
  return textAt(node, 'name') ?? nameOf(nodeAt(node, 'id') ?? nodeAt(node, 'key'));
}

function memberOf(node: SyntaxNode, around: SyntaxNode | undefined): string | undefined {
  if (node.type === 'MemberExpression') {
    const property = nodeAt(node, 'property');
    if (property?.type === 'PrivateIdentifier') return undefined;
    return node['computed'] === true ? textAt(property, 'value') : textAt(property, 'name');
  }
  if (node.type !== 'Property' || around?.type !== 'ObjectPattern') return undefined;
  const key = nodeAt(node, 'key');
  return textAt(key, 'name') ?? textAt(key, 'value');
}

function isVariableUse(node: SyntaxNode, parent: SyntaxNode | undefined, key: string): boolean {
  if (node.type !== 'Identifier' || parent === undefined) return false;
  if (parent.type.startsWith('Import') && parent.type !== 'ImportExpression') return false;
  if (NO_VARIABLES.has(parent.type)) return false;
  return NAME_POSITIONS[parent.type] !== key || parent['computed'] === true || parent['shorthand'] === true;
}

/** Reads one TypeScript file. Throws where it does not parse. */
export function readSource(path: string, text: string): SourceModel {
  const program: unknown = parseAst(text, { lang: 'ts' });
  if (!isNode(program)) throw new TypeError(`${path} gives no syntax tree`);
  const lineOf = (offset: number): number => text.slice(0, offset).split('\n').length;
  const imports: ImportLine[] = [];
  const bound = new Set<string>();
  const used = new Set<string>();
  const members = new Set<string>();
  const functions: { name: string; line: number; lineCount: number }[] = [];
  const texts: TextConstant[] = [];

  walk(program, [], '', (node, around, key) => {
    const parent = around.at(-1);
    for (const name of bindingsOf(node)) bound.add(name);
    const member = memberOf(node, parent);
    if (member !== undefined) members.add(member);
    if (
      ['ImportDeclaration', 'ExportNamedDeclaration', 'ExportAllDeclaration', 'ImportExpression'].includes(
        node.type,
      )
    ) {
      const line = importOf(node);
      if (line !== undefined) imports.push(line);
    }
    if (isVariableUse(node, parent, key)) {
      const taken =
        parent?.type === 'MemberExpression' && key === 'object' ? nodeAt(parent, 'property') : undefined;
      used.add(taken === undefined ? nameOf(node) : `${nameOf(node)}.${nameOf(taken)}`);
    }
    if (FUNCTION_TYPES.has(node.type)) {
      const line = lineOf(node.start);
      functions.push({ name: nameOf(node) || nameOf(parent), line, lineCount: lineOf(node.end) - line + 1 });
    }
    const constant = textOf(node);
    if (constant !== undefined && key !== 'source') texts.push({ text: constant, context: nameOf(parent) });
  });

  const globals = new Set([...used].filter((name) => !bound.has(name.split('.')[0] ?? name)));
  const lineCount = text.replace(/\n$/, '').split('\n').length;
  return { path, lineCount, imports, globals, members, functions, texts };
}
