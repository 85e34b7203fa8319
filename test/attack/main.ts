/**
 * `npm run attack -- [NAME…] [--json] [--list] [--quick] [--retry]`: hostile peers against two honest nodes, each attack in a
 * process of its own between two quiet phases. `npm run attack -- empty-frames` measures one of them, in half a minute.
 */
import { loadavg } from 'node:os';
import { parseArgs } from 'node:util';
import { messageOf } from '../../src/lib/coded-error.ts';
import { round } from '../bench/figure.ts';
import type { Attack } from './attack.ts';
import { ATTACKS } from './attacks/index.ts';
import { figuresOf } from './figures.ts';
import { FULL_PACE, measureAttacks, type Pace, QUICK_PACE } from './measure.ts';
import { inWords } from './report.ts';
import { Stage } from './stage.ts';

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
    retry: { type: 'boolean', default: false },
  },
});

async function run(): Promise<number> {
  if (values.list) {
    for (const { name, protocol, about } of ATTACKS) console.log(`${name.padEnd(24)} ${protocol}: ${about}`);
    return 0;
  }
  const unknown = positionals.filter((name) => !ATTACKS.some((attack) => attack.name === name));
  if (unknown.length > 0) {
    console.error(`There is no attack called ${unknown.join(', ')}; "npm run attack -- --list" names them.`);
    return 2;
  }
  const attacks = ATTACKS.filter(({ name, quick }) =>
    positionals.length > 0 ? positionals.includes(name) : !values.quick || quick === true,
  );
  const pace = values.quick ? QUICK_PACE : FULL_PACE;
  let missed = await measure(attacks, pace);
  if (values.retry && missed.length > 0) {
    console.error(`Once more, and that counts: ${missed.map(({ name }) => name).join(', ')}`);
    missed = await measure(missed, pace);
  }
  if (!values.json) {
    const names = missed.map(({ name }) => name).join(', ');
    console.log(missed.length === 0 ? 'All bounds hold.' : `Bounds do not hold under: ${names}.`);
  }
  return missed.length === 0 ? 0 : 1;
}

/** Tells of each attack; gives back those under which a bound did not hold. */
async function measure(attacks: readonly Attack[], pace: Pace): Promise<readonly Attack[]> {
  const missed: Attack[] = [];
  await measureAttacks(attacks, pace, {
    measured: (measured) => {
      const figures = figuresOf(measured, pace);
      if (figures.some(({ ok }) => !ok)) missed.push(measured.attack);
      const load = round(loadavg()[0] ?? Number.NaN, 1);
      if (values.json) for (const figure of figures) console.log(JSON.stringify({ ...figure, load }));
      else console.log(inWords(measured, figures, load));
    },
    failed: (attack, error) => {
      missed.push(attack);
      console.error(`${attack.name} could not be measured: ${messageOf(error)}`);
    },
  });
  return missed;
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => {
    void Stage.closeAll().finally(() => process.exit(1));
  });
}
process.exitCode = await run();
