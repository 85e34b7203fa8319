/** A node of its own for one test: starts an endless program, prints the child's pid, and waits to be killed. */
import { helloAndSpinModule } from '../../../fixtures/wasm-modules.ts';
import { driversFor, runJob } from './sandbox-run.ts';

const isolation = process.argv[2] === 'bubblewrap' ? 'bubblewrap' : 'process';
await runJob(driversFor(isolation), {
  program: helloAndSpinModule('spinning'),
  started: async ({ pid }) => console.log(`pid ${pid}`),
  printed: (text) => console.log(text),
});
