import { Composer, type CST, type Document, Lexer, type LineCounter, Parser } from 'yaml';

/** A job needs a tenth of it; each level costs the parser's stack and its time. */
const MOST_LEVELS = 64;

/** Why a text is no YAML that is taken here, and where. */
export class YamlFault extends Error {
  override readonly name = 'YamlFault';
  readonly offset: number | undefined;

  constructor(message: string, offset: number | undefined) {
    super(message);
    this.offset = offset;
  }
}

/** The one document of a text, without tags but those of plain values. Throws {@link YamlFault}. */
export function parseYaml(text: string, lineCounter: LineCounter): Document.Parsed {
  const composer = new Composer({
    schema: 'core',
    stringKeys: true,
    // The composer compares every key with every other one; who calls this looks once.
    uniqueKeys: false,
    resolveKnownTags: false,
    prettyErrors: false,
    lineCounter,
  });
  const [document, second] = composer.compose(boundedTokens(text, lineCounter), true, text.length);
  if (document === undefined) throw new YamlFault('it holds no document', undefined);
  if (second !== undefined) throw new YamlFault('it holds more than one document', second.range[0]);
  const fault = document.errors[0] ?? document.warnings[0];
  if (fault !== undefined) throw new YamlFault(fault.message, fault.pos[0]);
  return document;
}

/** What the parser makes of the text, given up as soon as it is nested too deeply and not at its end. */
function* boundedTokens(text: string, lineCounter: LineCounter): Generator<CST.Token> {
  const parser = new Parser(lineCounter.addNewLine);
  lineCounter.addNewLine(0);
  for (const lexeme of new Lexer().lex(text)) {
    yield* parser.next(lexeme);
    if (parser.stack.length > MOST_LEVELS) {
      throw new YamlFault(`it is nested deeper than ${MOST_LEVELS} levels. Make it flatter.`, parser.offset);
    }
  }
  yield* parser.end();
}
