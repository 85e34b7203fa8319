// A Bidmesh node inside your own program: `npm install bidmesh`, and run this file.
import { setTimeout as wait } from 'node:timers/promises';
import { startNode } from 'bidmesh';

// The keys are those of the configuration file; all of them may be left out.
const node = await startNode({
  dataDir: './bidmesh-data',
  api: { listen: '127.0.0.1:0' },
  provider: { price: { amount: '0.03' } },
  log: { level: 'warn' },
});
try {
  console.log(`node ${node.peerId} answers at ${node.apiUrl}`);
  const posted = await fetch(`${node.apiUrl}/orchestrator/postJob`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      name: 'embedded',
      engine: { type: 'python', params: { script: { text: 'print(sum(range(101)))' } } },
    }),
  });
  const job = new URL(posted.headers.get('location'), node.apiUrl).href;
  while (!/Completed|Failed/.test((await (await fetch(job)).json()).state)) await wait(100);
  console.log(await (await fetch(`${job}/results/p0/stdout`)).text());
} finally {
  await node.stop();
}
