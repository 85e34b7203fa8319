import { access, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { NodeOptions } from '../../../../src/config/index.ts';
import { CodedError } from '../../../../src/lib/coded-error.ts';
import { type CommandOptions, type Desk, openDesk, type Outcome, runningNode } from '../command-line.ts';

let desk: Desk;

beforeEach(async () => {
  desk = await openDesk();
});

afterEach(() => desk.close());

interface Started extends Outcome {
  readonly options: NodeOptions | undefined;
  readonly stops: number;
}

/** Starts a node that is asked to stop as soon as it is ready. */
async function start(argv: readonly string[], changes: CommandOptions = {}): Promise<Started> {
  let options: NodeOptions | undefined;
  let stops = 0;
  let stop = (): void => {};
  const outcome = await desk.run(['start', ...argv], {
    startNode: async (given) => {
      options = given;
      return { ...runningNode, stop: async () => void (stops += 1) };
    },
    stopping: (ask) => {
      stop = ask;
    },
    watching: () => stop(),
    ...changes,
  });
  return { ...outcome, options, stops };
}

describe('bidmesh start', () => {
  it('prints one line when ready, and stops in good order', async () => {
    const { exitCode, stdout, stderr, stops } = await start([]);
    expect({ exitCode, stops }).toEqual({ exitCode: 0, stops: 1 });
    expect(stdout).toBe('Bidmesh node peer-self is ready on network bidmesh: http://127.0.0.1:1234\n');
    expect(stderr).toContain(join(desk.folder, '.bidmesh', 'config.yaml'));
    await access(join(desk.folder, '.bidmesh', 'config.yaml'));
  });

  it('prints one JSON line and nothing else for a machine', async () => {
    const { stdout, stderr } = await start(['--json']);
    expect(JSON.parse(stdout)).toEqual({
      api: 'http://127.0.0.1:1234',
      peerId: 'peer-self',
      multiaddrs: ['/ip4/127.0.0.1/tcp/4001'],
    });
    expect(stdout.split('\n')).toHaveLength(2);
    expect(stderr).toBe('');
  });

  it('takes every flag, and its --api is where the node listens', async () => {
    const typed = [
      '--data-dir data --network mine --no-mdns --api 127.0.0.1:0',
      '--listen /ip4/127.0.0.1/tcp/0 /ip4/127.0.0.2/tcp/0 --announce /ip4/9.9.9.9/tcp/1',
      '--bootstrap /ip4/1.1.1.1/tcp/1 --bootstrap /ip4/2.2.2.2/tcp/2',
    ];
    const { options } = await start(typed.flatMap((line) => line.split(' ')));
    expect(options).toMatchObject({
      network: 'mine',
      dataDir: join(desk.folder, 'data'),
      api: { listen: '127.0.0.1:0' },
      libp2p: {
        listen: ['/ip4/127.0.0.1/tcp/0', '/ip4/127.0.0.2/tcp/0'],
        announce: ['/ip4/9.9.9.9/tcp/1'],
        bootstrap: ['/ip4/1.1.1.1/tcp/1', '/ip4/2.2.2.2/tcp/2'],
        mdns: false,
      },
    });
  });

  it('leaves what was not typed to environment and file', async () => {
    const { options } = await start([], {
      env: { BIDMESH__P2P__MDNS: 'false', BIDMESH__NETWORK: 'of-env' },
    });
    expect(options).toMatchObject({ network: 'of-env', libp2p: { mdns: false } });
  });

  it('names flag and key of a setting that is wrong', async () => {
    const { exitCode, stderr, options } = await start(['--api', 'nowhere']);
    expect({ exitCode, options }).toEqual({ exitCode: 1, options: undefined });
    expect(stderr).toMatch(/CONFIG_INVALID: .*api\.listen \(flag --api\)/s);
  });

  it('does not run when the file that was asked for is not there', async () => {
    const { exitCode, stderr } = await start(['--config', 'nope.yaml']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('CONFIG_NOT_FOUND');
  });

  it('fails when the node cannot start', async () => {
    const refusal = new CodedError('API_ADDRESS_IN_USE', 'Something else listens there.');
    const { exitCode, stdout, stderr } = await start([], { startNode: () => Promise.reject(refusal) });
    expect({ exitCode, stdout }).toEqual({ exitCode: 1, stdout: '' });
    expect(stderr).toContain('API_ADDRESS_IN_USE: Something else listens there.');
  });

  it('stops the node and fails when it cannot go on', async () => {
    let stopped = false;
    const { exitCode, stderr } = await start([], {
      watching: () => {},
      startNode: async (_options, onFatal) => {
        onFatal(new CodedError('STORE_FAILED', 'The disk is full.'));
        return { ...runningNode, stop: async () => void (stopped = true) };
      },
    });
    expect({ exitCode, stopped }).toEqual({ exitCode: 1, stopped: true });
    expect(stderr).toContain('STORE_FAILED');
  });

  it('ends although it was asked to before it was ready', async () => {
    const { exitCode, stops } = await start([], { stopping: (ask) => ask(), watching: () => {} });
    expect({ exitCode, stops }).toEqual({ exitCode: 0, stops: 1 });
  });

  it('writes settings that the next start reads', async () => {
    await start(['--data-dir', 'data']);
    const path = join(desk.folder, 'data', 'config.yaml');
    expect(await readFile(path, 'utf8')).toContain('defaultSearchTimeout: 5s');
    const { exitCode, stderr } = await start(['--data-dir', 'data']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
  });
});
