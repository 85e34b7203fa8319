import { parseArgs } from 'node:util';
import { admission } from './admission.ts';
import { costs } from './costs.ts';
import type { Bench } from './figure.ts';
import { finishedJobs } from './finished-jobs.ts';
import { flood } from './flood.ts';
import { footprint } from './footprint.ts';
import { marketScale } from './market-scale.ts';
import { match } from './match.ts';
import { negotiation } from './negotiation.ts';
import { post } from './post.ts';
import { stall } from './stall.ts';
import { printing } from './printing.ts';

const BENCHES: readonly Bench[] = [
  negotiation,
  post,
  match,
  admission,
  marketScale,
  flood,
  footprint,
  stall,
  finishedJobs,
  printing,
  costs,
];

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    json: { type: 'boolean', default: false },
    list: { type: 'boolean', default: false },
    iterations: { type: 'string' },
  },
});

if (values.list) {
  for (const bench of BENCHES) console.log(`${bench.name.padEnd(14)} ${bench.about}`);
} else {
  const wanted = BENCHES.filter((bench) => positionals.length === 0 || positionals.includes(bench.name));
  const unknown = positionals.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    console.error(
      `There is no benchmark called ${unknown.join(', ')}; "npm run bench -- --list" names them.`,
    );
    process.exitCode = 2;
  } else {
    for (const bench of wanted) {
      await bench.run({
        iterations: values.iterations === undefined ? undefined : Number(values.iterations),
        report: (figure) => {
          if (values.json) {
            console.log(JSON.stringify(figure));
            return;
          }
          const floor =
            figure.floor === undefined
              ? ''
              : `   floor ${figure.floor} ${figure.unit}, ratio ${figure.ratio}`;
          const kind = figure['kind'] === undefined ? '' : ` (${figure['kind']})`;
          const idle = figure['idle'] === undefined ? '' : `   idle ${figure['idle']} ${figure.unit}`;
          console.log(
            `${figure.bench}: ${figure.metric}${kind} = ${figure.value} ${figure.unit}${floor}${idle}`,
          );
        },
        note: (text) => console.error(text),
      });
    }
  }
}
