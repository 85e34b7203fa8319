import { describe, expect, it } from 'vitest';
import { peerAdvert } from './samples.ts';
import { inProcess, scriptedNode } from './scripted-node.ts';

async function read(path: string): Promise<unknown> {
  return (await inProcess(scriptedNode()).request(path)).json();
}

describe('the node over HTTP', () => {
  it('says who it is', async () => {
    expect(await read('/dms/status')).toEqual({
      peerId: 'peer-self',
      did: 'did:key:self',
      network: 'bidmesh-test',
      version: '0.1.0',
      multiaddrs: ['/ip4/127.0.0.1/tcp/4001'],
      peers: 2,
      openNetwork: true,
      draining: false,
    });
  });

  it('shows its pools and leases', async () => {
    expect(await read('/dms/resources')).toMatchObject({
      machine: { cpuMillis: 2000 },
      free: { cpuMillis: 1600 },
      price: { amount: '0.02', currency: 'USD', per: 'hour' },
      leases: [{ lockId: 'lock-1', version: 7, acquiredAt: '2030-01-02T00:00:00.000Z', state: 'held' }],
    });
  });

  it('says why where it offers nothing, and nothing of that where it does', async () => {
    const node = scriptedNode();
    expect(await (await inProcess(node).request('/dms/resources')).json()).not.toHaveProperty(
      'offersNothing',
    );
    node.view.offersNothing = 'It was told so.';
    expect(await (await inProcess(node).request('/dms/resources')).json()).toMatchObject({
      offersNothing: 'It was told so.',
      leases: [{ lockId: 'lock-1' }],
    });
  });

  it('is drained and undrained, each as often as one likes', async () => {
    const node = scriptedNode();
    const { request } = inProcess(node);
    for (const [path, draining] of [
      ['/dms/drain', true],
      ['/dms/drain', true],
      ['/dms/undrain', false],
      ['/dms/undrain', false],
    ] as const) {
      const response = await request(path, { method: 'POST' });
      expect({ status: response.status, body: await response.json() }).toEqual({
        status: 200,
        body: { draining },
      });
      expect(await (await request('/dms/status')).json()).toMatchObject({ draining });
      expect(await (await request('/dms/resources')).json()).toMatchObject({ draining });
    }
    expect((await request('/dms/drain')).status).toBe(404);
    expect((await request('/dms/drain?for=1h', { method: 'POST' })).status).toBe(400);
    node.view.offersNothing = 'It only posts jobs.';
    const refused = await request('/dms/drain', { method: 'POST' });
    expect(await refused.json()).toMatchObject({ status: 409, code: 'OFFERS_NOTHING' });
  });

  it('is drained only by those with its token', async () => {
    const node = scriptedNode();
    const { request } = inProcess(node, { token: 'secret' });
    expect((await request('/dms/drain', { method: 'POST' })).status).toBe(401);
    expect(node.view.draining).toBe(false);
  });

  it('lists its peers', async () => {
    expect(await read('/dms/peers')).toEqual({
      items: [
        {
          peerId: 'peer-a',
          connected: true,
          multiaddrs: [],
          ...peerAdvert(),
          lastSeenAt: '2030-01-03T00:00:00.000Z',
          expiresAt: '2030-01-04T00:00:00.000Z',
        },
        { peerId: 'peer-b', connected: false, multiaddrs: [] },
      ],
    });
  });

  it('is ready, or says why not', async () => {
    const node = scriptedNode();
    const { request } = inProcess(node);
    expect((await request('/health/ready')).status).toBe(200);
    node.view.ready = { ok: false, reasons: ['The store is not open.'] };
    const response = await request('/health/ready');
    expect(response.status).toBe(503);
    expect(await response.json()).toEqual({ ok: false, reasons: ['The store is not open.'] });
  });

  it('gives metrics as the registry has them', async () => {
    const response = await inProcess(scriptedNode()).request('/metrics');
    expect(response.headers.get('content-type')).toBe('text/plain; version=0.0.4');
    expect(await response.text()).toBe('bidmesh_jobs 1\n');
  });

  it.each([
    ['GET', '/nothing'],
    ['DELETE', '/orchestrator/jobs/job-1'],
    ['GET', '/orchestrator/postJob'],
  ])('has no %s %s', async (method, path) => {
    const response = await inProcess(scriptedNode()).request(path, { method });
    expect(response.headers.get('content-type')).toBe('application/problem+json');
    expect(await response.json()).toMatchObject({ status: 404, code: 'ROUTE_NOT_FOUND' });
  });
});
