import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { vi } from 'vitest';
import { createTapeDriver } from '../../../fixtures/added-engine/driver.ts';
import {
  exitModule,
  helloAndSpinModule,
  helloModule,
  writeFileModule,
} from '../../../fixtures/wasm-modules.ts';
import { type Behaviour, type DriverFixture, taskDriverSuite } from '../../../suites/task-driver.suite.ts';
import { driversFor } from './sandbox-run.ts';

vi.setConfig({ testTimeout: 30_000 });

const MODULES: Readonly<Record<Behaviour, () => Uint8Array | string>> = {
  prints: () => helloModule('hello'),
  fails: () => exitModule(3),
  writes: () => writeFileModule('/outputs/a.txt', 'content'),
  lasts: () => helloAndSpinModule('ready'),
};
const SCRIPTS: Readonly<Record<Behaviour, () => string>> = {
  prints: () => `print('hello', end='')`,
  fails: () => 'raise SystemExit(3)',
  writes: () => `open('/outputs/a.txt', 'w').write('content')`,
  lasts: () => `print('ready')\nwhile True: pass`,
};
const TAPES: Readonly<Record<Behaviour, string>> = {
  prints: 'ends',
  fails: 'fails',
  writes: 'keeps',
  lasts: 'lasts',
};

function sandboxed(
  type: 'wasm' | 'python',
  param: string,
  programs: Readonly<Record<Behaviour, () => Uint8Array | string>>,
): DriverFixture {
  return {
    create: () => {
      const driver = driversFor('bubblewrap').find(({ engine }) => engine === type);
      if (driver === undefined) throw new Error(`there is no driver of ${type}`);
      return driver;
    },
    program: async (does, folder) => {
      const path = join(folder, 'program');
      await writeFile(path, programs[does]());
      return { content: { [param]: path }, params: {} };
    },
  };
}

taskDriverSuite('wasm', sandboxed('wasm', 'module', MODULES));
taskDriverSuite('python', sandboxed('python', 'script', SCRIPTS));
taskDriverSuite('an engine that a test adds', {
  create: createTapeDriver,
  program: async (does) => ({
    content: { reel: '/nowhere' },
    params: { times: 1, side: TAPES[does] },
  }),
});
