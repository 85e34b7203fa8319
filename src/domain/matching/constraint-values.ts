import { amountOf, comparingOf } from './constraint-matching.ts';
import type { Constraint, ConstraintOperator } from './constraint.ts';
import { PEER_ID } from '../units/peer-id.ts';
import { byteQuantity } from '../units/quantities.ts';
import { rangeProblem, readVersion } from '../units/version-range.ts';

/** What the values of a key are. */
type Kind = 'count' | 'size' | 'version' | 'peer' | 'vendor' | 'text' | 'free';

export interface ConstraintProblem {
  readonly path: readonly (string | number)[];
  readonly message: string;
}

const SETS = ['In', 'NotIn', 'Exists', 'DoesNotExist'] as const;

const OPERATORS: Readonly<Record<Kind, readonly ConstraintOperator[]>> = {
  count: [...SETS, 'Gt', 'Lt'],
  size: [...SETS, 'Gt', 'Lt'],
  version: [...SETS, 'Semver'],
  peer: SETS,
  vendor: SETS,
  text: SETS,
  free: [...SETS, 'Gt', 'Lt', 'Semver'],
};

/** What a value to compare with must be, and in words. */
const VALUES: Readonly<Record<Kind, readonly [(text: string) => boolean, string]>> = {
  count: [(text) => /^(0|[1-9]\d*)$/.test(text), 'expected a whole number such as 8'],
  size: [
    (text) => byteQuantity.safeParse(text).success,
    'expected a size such as 256MiB, 1GB or a number of bytes',
  ],
  version: [(text) => readVersion(text) !== undefined, 'expected a version such as 3.12.1'],
  peer: [(text) => PEER_ID.test(text), 'expected the peer id of a node, such as 12D3KooW…'],
  vendor: [(text) => /^(nvidia|amd|intel|unknown)$/i.test(text), 'expected nvidia, amd, intel or unknown'],
  text: [(text) => text !== '', 'expected a text that is not empty'],
  free: [(text) => text !== '', 'expected a text that is not empty'],
};

const FAMILIES: ReadonlyMap<string, Kind> = new Map([
  ['location', 'text'],
  ['engine', 'version'],
  ['runtime', 'version'],
  ['label', 'free'],
]);

/** Every machine has a value of them. */
const ALWAYS_THERE: ReadonlySet<string> = new Set(['cpu.cores', 'memory.total', 'gpu.count', 'node.id']);

function kindOf(key: string): Kind | undefined {
  switch (key) {
    case 'cpu.cores':
    case 'gpu.count':
      return 'count';
    case 'memory.total':
    case 'gpu.vram':
      return 'size';
    case 'node.version':
      return 'version';
    case 'node.id':
      return 'peer';
    case 'gpu.vendor':
      return 'vendor';
    case 'cpu.arch':
    case 'cpu.model':
    case 'cpu.vendor':
    case 'gpu.model':
      return 'text';
    default:
      return FAMILIES.get(key.slice(0, key.indexOf('.')));
  }
}

function problemOfAmount({ key, operator, values }: Constraint, kind: Kind): readonly ConstraintProblem[] {
  const limit = amountOf(values[0] ?? '', comparingOf(key));
  if (kind === 'free' || operator !== 'Lt' || limit === undefined || limit > 0) return [];
  return [{ path: ['values', 0], message: `no machine has less than none: ${key} Lt takes more than 0` }];
}

/** What makes one constraint, whatever the job, one that no machine can be compared with or that none can meet. */
export function constraintProblems(constraint: Constraint): readonly ConstraintProblem[] {
  const { key, operator, values } = constraint;
  const kind = kindOf(key);
  if (kind === undefined) return [];
  const operators = OPERATORS[kind];
  if (!operators.includes(operator)) {
    return [{ path: ['operator'], message: `${key} takes ${operators.join(', ')}` }];
  }
  switch (operator) {
    case 'In':
    case 'NotIn': {
      const [fits, message] = VALUES[kind];
      return values.flatMap((value, index) => (fits(value) ? [] : [{ path: ['values', index], message }]));
    }
    case 'Gt':
    case 'Lt':
      return problemOfAmount(constraint, kind);
    case 'Semver':
      return values.flatMap((range, index) => {
        const message = rangeProblem(range);
        return message === undefined ? [] : [{ path: ['values', index], message }];
      });
    case 'DoesNotExist':
      return ALWAYS_THERE.has(key)
        ? [{ path: ['operator'], message: `every machine has ${key}: DoesNotExist is never met` }]
        : [];
    case 'Exists':
      return [];
  }
}

/** Whether a constraint wants what runs the job not to be there. */
export function excludesEngine({ key, operator }: Constraint, engine: string): boolean {
  return operator === 'DoesNotExist' && key === `engine.${engine}`;
}
