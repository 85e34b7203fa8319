import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/**
 * Plays the faults of the simulation with seeds that nobody has seen: `npm run seeds -- 500`. A seed that fails is
 * printed with the command that plays it again; what it found belongs into a test of its own.
 */
const TEST = 'test/simulation/faults.test.ts';
const DEFAULT_COUNT = 100;
const MAX_COUNT = 100_000;
const LARGEST_SEED = 2 ** 32;
/** They are handed on in a variable, which has a bound. */
const SEEDS_AT_ONCE = 1000;

interface Report {
  readonly testResults: readonly {
    readonly assertionResults: readonly { readonly status: string; readonly title: string }[];
  }[];
}

const [given = String(DEFAULT_COUNT)] = process.argv.slice(2);
const count = Number(given);
if (!Number.isSafeInteger(count) || count < 1 || count > MAX_COUNT) {
  console.error(`"${given}" is no number of seeds: give one from 1 to ${MAX_COUNT}.`);
  process.exit(2);
}
const seeds = Array.from({ length: count }, () => String(randomInt(1, LARGEST_SEED)));
const failed: string[] = [];
for (let first = 0; first < count; first += SEEDS_AT_ONCE) {
  failed.push(...play(seeds.slice(first, first + SEEDS_AT_ONCE)));
}
for (const seed of failed) {
  console.error(`Seed ${seed} failed: BIDMESH_SIMULATION_SEED=${seed} npx vitest run ${TEST}`);
}
console.log(`${count - failed.length} of ${count} fresh seeds passed.`);
process.exitCode = failed.length === 0 ? 0 : 1;

/** Those that failed; all of them where there was no run. */
function play(some: readonly string[]): readonly string[] {
  const folder = mkdtempSync(join(tmpdir(), 'bidmesh-seeds-'));
  try {
    const file = join(folder, 'report.json');
    const vitest = join(createRequire(import.meta.url).resolve('vitest/package.json'), '..', 'vitest.mjs');
    const args = ['run', TEST, '--reporter=dot', '--reporter=json', `--outputFile.json=${file}`];
    spawnSync(process.execPath, [vitest, ...args], {
      stdio: 'inherit',
      env: { ...process.env, BIDMESH_SIMULATION_SEED: some.join(',') },
    });
    const { testResults }: Report = JSON.parse(readFileSync(file, 'utf8'));
    const passed = new Set(
      testResults
        .flatMap(({ assertionResults }) => assertionResults)
        .filter(({ status }) => status === 'passed')
        .map(({ title }) => /^seed (\d+)/.exec(title)?.[1]),
    );
    return some.filter((seed) => !passed.has(seed));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
