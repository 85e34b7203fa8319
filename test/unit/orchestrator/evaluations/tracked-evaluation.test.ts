import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import {
  type EvaluationState,
  TrackedEvaluation,
} from '../../../../src/orchestrator/evaluations/tracked-evaluation.ts';
import { evaluation } from './broker-scene.ts';

/** A way into each state, and the states that may follow: the arrows of specs/states/evaluation.md. */
const STATES: Readonly<
  Record<
    EvaluationState,
    { readonly path: readonly EvaluationState[]; readonly next: readonly EvaluationState[] }
  >
> = {
  delayed: { path: ['delayed'], next: ['ready', 'pending'] },
  pending: { path: ['pending'], next: ['ready'] },
  ready: { path: ['ready'], next: ['in-flight'] },
  'in-flight': { path: ['ready', 'in-flight'], next: ['held-back'] },
  'held-back': { path: ['ready', 'in-flight', 'held-back'], next: ['ready'] },
};

function inState(state: EvaluationState): TrackedEvaluation {
  const [first, ...rest] = STATES[state].path;
  if (first !== 'delayed' && first !== 'pending' && first !== 'ready') throw new Error('no such beginning');
  const tracked = new TrackedEvaluation(evaluation('a'), 1, first);
  for (const next of rest) tracked.become(next);
  return tracked;
}

const names = Object.keys(STATES) as EvaluationState[];
const pairs = names.flatMap((from) => names.map((to) => [from, to] as const));
const arrows = pairs.filter(([from, to]) => STATES[from].next.includes(to));
const gaps = pairs.filter(([from, to]) => !STATES[from].next.includes(to));

it.each(arrows)('an evaluation that is %s may become %s', (from, to) => {
  const tracked = inState(from);
  tracked.become(to);
  expect(tracked.state).toBe(to);
});

it.each(gaps)('an evaluation that is %s cannot become %s', (from, to) => {
  const tracked = inState(from);
  expect(() => tracked.become(to)).toThrow(`An evaluation that is ${from} cannot become ${to}.`);
  expect(tracked.state).toBe(from);
});

it('is drawn in its spec with these very arrows', () => {
  const spec = readFileSync(new URL('../../../../specs/states/evaluation.md', import.meta.url), 'utf8');
  const drawn = [...spec.matchAll(/^ +([a-z_]+) --> ([a-z_]+):/gm)].map(([, from, to]) => `${from} ${to}`);
  const allowed = arrows.map(([from, to]) => `${from} ${to}`.replaceAll('-', '_'));
  expect(drawn.toSorted()).toEqual(allowed.toSorted());
});

it('counts how often it was handed out', () => {
  const tracked = inState('held-back');
  expect(tracked.deliveries).toBe(1);
  tracked.become('ready');
  tracked.become('in-flight');
  expect(tracked.deliveries).toBe(2);
});
