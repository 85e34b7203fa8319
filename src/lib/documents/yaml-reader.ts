import {
  type Alias,
  Composer,
  type CST,
  type Document,
  isAlias,
  isMap,
  isScalar,
  isSeq,
  Lexer,
  LineCounter,
  Parser,
  type Scalar,
  type YAMLMap,
} from 'yaml';
import { LONGEST_KEY, MOST_ALIASES, MOST_LEVELS, MOST_LINES, MOST_QUOTED, MOST_TOKENS } from './bounds.ts';
import { DocumentParts, type ReadDocument } from './document.ts';
import { DocumentFault, type FaultDetail, type FaultKind } from './document-fault.ts';

const INTEGER = /^[-+]?\d+$/;
/** What may stand behind a backslash. */
const ESCAPES = '0abtevnrNxuUfLP_ "/\\\t\r\n';
const ALIAS = '*';
const MERGE_KEY = '<<';

/**
 * YAML 1.2 core, strictly: one document of plain values as JSON has them, no other tags, no key twice, no merge keys,
 * text of whole characters. It is given up at its first fault; depth, tokens, values and what aliases repeat are
 * bounded while it reads. It takes up to a microsecond a character all the same, and of some texts the square of them.
 */
export function readYaml(text: string): ReadDocument {
  checkLines(text);
  const lines = new LineCounter();
  const document = compose(text, lines);
  const start = document.contents?.range?.[0] ?? 0;
  const conversion = new Conversion(text);
  return conversion.parts.document(conversion.value(document.contents, start), start);
}

function checkLines(text: string): void {
  let line = 1;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
    line += 1;
    if (line > MOST_LINES) throw new DocumentFault('too-long', { line, column: 1 });
  }
}

function compose(text: string, lines: LineCounter): Document.Parsed {
  const composer = new Composer({
    schema: 'core',
    stringKeys: true,
    // The composer compares every key with every other one; the conversion looks once.
    uniqueKeys: false,
    resolveKnownTags: false,
    prettyErrors: false,
    lineCounter: lines,
  });
  const [document, second] = composer.compose(boundedTokens(text, lines), true, text.length);
  const faultAt = (kind: FaultKind, offset: number, detail?: FaultDetail): DocumentFault => {
    const { line, col } = lines.linePos(Math.min(offset, text.length));
    return new DocumentFault(kind, { line, column: col }, detail);
  };
  if (document === undefined) throw new DocumentFault('no-document', undefined);
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) {
    if (fault.code === 'NON_STRING_KEY') throw faultAt('key-not-text', fault.pos[0]);
    throw faultAt('syntax', fault.pos[0], {
      reason: fault.code.toLowerCase().replaceAll('_', ' '),
      quote: fault.message,
    });
  }
  if (second !== undefined) throw faultAt('two-documents', second.range[0]);
  return document;
}

/** What the parser makes of the text, given up where it passes a bound and not at its end. */
function* boundedTokens(text: string, lines: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lines.addNewLine);
  lines.addNewLine(0);
  let tokens = 0;
  let aliases = 0;
  let quoted = 0;
  const faultHere = (kind: FaultKind): DocumentFault => {
    const { line, col } = lines.linePos(parser.offset);
    return new DocumentFault(kind, { line, column: col });
  };
  for (const lexeme of new Lexer().lex(text)) {
    for (const token of parser.next(lexeme)) {
      if (token.type === 'error') throw syntaxFault(token, lines);
      yield token;
    }
    tokens += 1;
    if (lexeme.startsWith(ALIAS)) aliases += 1;
    if (lexeme.startsWith('"')) quoted += quotedLength(lexeme, parser.offset - lexeme.length, lines);
    if (quoted > MOST_QUOTED) throw faultHere('too-long');
    if (parser.stack.length > MOST_LEVELS) throw faultHere('too-deep');
    if (tokens > MOST_TOKENS) throw faultHere('too-many');
    if (aliases > MOST_ALIASES) throw faultHere('many-aliases');
  }
  yield* parser.end();
}

/** How much text it is. A bad escape is a fault here, as the composer would gather one for each of them. */
function quotedLength(quoted: string, offset: number, lines: LineCounter): number {
  let escapes = 0;
  for (let at = quoted.indexOf('\\'); at >= 0; at = quoted.indexOf('\\', at + 2)) {
    escapes += 1;
    if (ESCAPES.includes(quoted[at + 1] ?? ' ')) continue;
    const { line, col } = lines.linePos(offset + at);
    throw new DocumentFault('bad-escape', { line, column: col });
  }
  return quoted.length - escapes;
}

/** What the parser cannot make anything of; it would go on. */
function syntaxFault(
  { message, offset }: { message: string; offset: number },
  lines: LineCounter,
): DocumentFault {
  const { line, col } = lines.linePos(offset);
  return new DocumentFault('syntax', { line, column: col }, { quote: message, reason: 'unexpected token' });
}

/** A document's nodes as plain values. */
class Conversion {
  readonly parts: DocumentParts;
  readonly #anchors = new Map<string, { readonly value: unknown; readonly size: number }>();

  constructor(text: string) {
    this.parts = new DocumentParts(text);
  }

  /** `around` is where a value stands that is not written. */
  value(node: unknown, around: number): unknown {
    if (isAlias(node)) return this.#repeated(node);
    const before = this.parts.counted;
    const value = this.#plain(node, around);
    const anchor = isScalar(node) || isMap(node) || isSeq(node) ? node.anchor : undefined;
    if (anchor !== undefined) this.#anchors.set(anchor, { value, size: this.parts.counted - before });
    return value;
  }

  #plain(node: unknown, around: number): unknown {
    if (isMap(node)) return this.#map(node);
    if (isSeq(node)) {
      const list: unknown[] = [];
      this.parts.count(node.range?.[0] ?? around);
      for (const item of node.items) {
        const at = offsetOf(item, node.range?.[0] ?? around);
        this.parts.set(list, String(list.length), this.value(item, at), at);
      }
      return list;
    }
    this.parts.count(offsetOf(node, around));
    return isScalar(node) ? this.#scalar(node, around) : null;
  }

  #map(node: YAMLMap): unknown {
    const map = {};
    const start = node.range?.[0] ?? 0;
    this.parts.count(start);
    for (const { key, value } of node.items) {
      const at = offsetOf(key, start);
      const name = this.#key(key, at);
      if (Object.hasOwn(map, name)) throw this.parts.fault('repeated-key', at, { quote: name });
      this.parts.set(map, name, this.value(value, at), at);
    }
    return map;
  }

  #key(node: unknown, at: number): string {
    const name: unknown = isScalar(node) ? this.#scalar(node, at) : undefined;
    if (typeof name !== 'string') throw this.parts.fault('key-not-text', at);
    if (name === MERGE_KEY && isScalar(node) && node.type === 'PLAIN')
      throw this.parts.fault('merge-key', at);
    if (name.length > LONGEST_KEY) throw this.parts.fault('long-key', at);
    return name;
  }

  #scalar(node: Scalar, around: number): unknown {
    const { value, source = '' } = node;
    if (typeof value === 'string' && !value.isWellFormed()) {
      throw this.parts.fault('half-character', offsetOf(node, around));
    }
    if (typeof value !== 'number') return value;
    if (!Number.isFinite(value)) {
      throw this.parts.fault('not-finite', offsetOf(node, around), { quote: source });
    }
    if (INTEGER.test(source) && !Number.isSafeInteger(value)) {
      throw this.parts.fault('inexact-number', offsetOf(node, around), { quote: source });
    }
    return value;
  }

  /** One inside its own anchor has none before it. */
  #repeated(node: Alias): unknown {
    const at = node.range?.[0] ?? 0;
    const anchored = this.#anchors.get(node.source);
    if (anchored === undefined) throw this.parts.fault('no-anchor', at, { quote: `${ALIAS}${node.source}` });
    this.parts.count(at, anchored.size);
    return anchored.value;
  }
}

function offsetOf(node: unknown, otherwise: number): number {
  return isScalar(node) || isMap(node) || isSeq(node) || isAlias(node)
    ? (node.range?.[0] ?? otherwise)
    : otherwise;
}
