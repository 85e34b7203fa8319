// A Bidmesh node inside your own program, and a job for it: `npm install` the package, and run this file.
import { startNode } from 'bidmesh';
import { BidmeshClient } from 'bidmesh/client';

// The keys are those of the configuration file; all of them may be left out.
const node = await startNode({
  dataDir: './bidmesh-data',
  api: { listen: '127.0.0.1:0' },
  provider: { price: { amount: '0.03' } },
  log: { level: 'warn' },
});
try {
  console.log(`node ${node.peerId} answers at ${node.apiUrl}`);
  const client = new BidmeshClient({ url: node.apiUrl });
  const { id } = await client.postJob({
    name: 'embedded',
    engine: { type: 'python', params: { script: { text: 'print(sum(range(101)))' } } },
  });
  for await (const event of client.jobLogs(id, { follow: true })) {
    if (event.type === 'output') process.stdout.write(event.bytes);
    if (event.type === 'end') console.log(`exit code ${event.exitCode}`);
  }
} finally {
  await node.stop();
}
