import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CodedError } from '../../../src/lib/coded-error.ts';
import { viewExplanation } from '../../../src/api/views/explanation-view.ts';
import { explanation, placedExplanation, SOME_CID } from '../api/samples.ts';
import { type Desk, openDesk } from './command-line.ts';

let desk: Desk;

beforeEach(async () => {
  desk = await openDesk();
});

afterEach(() => desk.close());

describe('bidmesh job explain', () => {
  it('shows where a job was placed, why, and what else there was', async () => {
    desk.node.orchestrator.explanation = placedExplanation();
    const { exitCode, stdout, stderr } = await desk.run(['job', 'explain', 'job-1']);
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(
      'Placed on peer-a, score 900.\nIt was the only bid that could be used.\nSeen by at least 3 providers.\n',
    );
    expect(stdout).toMatch(
      /peer-a +900 +0\.02 USD\/hour +yes +price 1000 \(the cheapest\); load 500 \(half full\)\n/,
    );
    expect(stdout).toMatch(/peer-b +800 +0\.02 USD\/hour +no\n/);
    expect(stdout).not.toContain('Declines');
    expect(stdout).not.toContain('What would help');
  });

  it('says so when the job is not where it was any more', async () => {
    desk.node.orchestrator.explanation = { ...placedExplanation(), placed: false };
    const { stdout } = await desk.run(['job', 'explain', 'job-1']);
    expect(stdout).toMatch(/^Not placed any more\. It was on /);
  });

  it('shows why a job was not placed, and what to ask less of', async () => {
    desk.node.orchestrator.explanation = explanation({
      declines: [
        { code: 'CONSTRAINT_UNMET', field: 'gpu.vram', count: 30 },
        { code: 'BUSY', count: 1 },
      ],
    });
    const { stdout } = await desk.run(['job', 'explain', 'job-1']);
    expect(stdout.split('\n').map((line) => line.replace(/ {2,}/g, '  '))).toEqual([
      'Not placed.',
      'Seen by at least 3 providers.',
      '',
      'Declines',
      `CONSTRAINT_UNMET gpu.vram  ${'#'.repeat(30)}  30`,
      'BUSY  #  1',
      '',
      'Nearest miss',
      'gpu.vram: 24 GiB asked, 16 GiB on 3 providers',
      '',
      'What would help',
      '- gpu.vram: 24 GiB asked, best seen 16 GiB on 3 providers.',
      '',
    ]);
  });

  it('gives a machine the whole answer', async () => {
    const { stdout } = await desk.run(['job', 'explain', 'job-1', '--json']);
    expect(JSON.parse(stdout)).toEqual(viewExplanation(explanation()));
  });

  it('says that a job is not there', async () => {
    const { exitCode, stderr } = await desk.run(['job', 'explain', 'nope']);
    expect(exitCode).toBe(1);
    expect(stderr).toContain('JOB_NOT_FOUND');
  });
});

describe('bidmesh job post --dry-run', () => {
  const tryIt = async (...flags: readonly string[]): ReturnType<Desk['run']> => {
    await writeFile(
      join(desk.folder, 'job.yaml'),
      `name: hello\nengine: { type: wasm, params: { module: { cid: ${SOME_CID} } } }\n`,
    );
    return desk.run(['job', 'post', '--dry-run', 'job.yaml', ...flags]);
  };

  it('says who would take the job, and posts nothing', async () => {
    const { winner, ...rest } = placedExplanation();
    desk.node.orchestrator.explanation = {
      ...rest,
      placed: false,
      winner: { provider: winner?.provider ?? '', score: 900, why: { code: 'only-bid', data: {} } },
    };
    const { exitCode, stdout, stderr } = await tryIt();
    expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: '' });
    expect(stdout).toContain(
      'Would be tried first on peer-a, score 900.\nIt was the only bid that could be used.\n',
    );
    expect(desk.node.orchestrator.tried).toMatchObject([{ name: 'hello' }]);
    expect(desk.node.orchestrator.posted).toEqual([]);
  });

  it('says when nobody would', async () => {
    const { exitCode, stdout } = await tryIt();
    expect(stdout).toContain('Nobody would take it now.\n');
    expect(exitCode).toBe(1);
    const asJson = await tryIt('--json');
    expect(JSON.parse(asJson.stdout)).toEqual(viewExplanation(explanation()));
    expect(asJson.exitCode).toBe(1);
  });

  it('fails where the node refuses', async () => {
    desk.node.orchestrator.refusal = new CodedError('TOO_MANY_JOBS', 'All searches are in use.');
    expect(await tryIt()).toMatchObject({
      exitCode: 1,
      stdout: '',
      stderr: expect.stringContaining('TOO_MANY_JOBS'),
    });
  });

  it('is not for job run, which waits for the end of a job', async () => {
    expect((await desk.run(['job', 'run', '--dry-run', 'job.yaml'])).exitCode).toBe(2);
  });
});

describe('bidmesh peers', () => {
  it('shows where peers are, what they have free and what they ask for it', async () => {
    const { exitCode, stdout } = await desk.run(['peers']);
    expect(exitCode).toBe(0);
    expect(stdout).toMatch(
      /PEER +STATE +LOCATION +CORES +MEMORY +GPUS +PRICE +ENGINES +VERSION\npeer-a +connected +DE, Bonn +1\.5 +1 GiB +2 × A100 40 GiB +0\.02 USD\/hour +wasm +0\.1\.0\npeer-b +known\n/,
    );
    const machine = await desk.run(['peers', '--json']);
    expect(JSON.parse(machine.stdout)).toMatchObject({
      items: [{ peerId: 'peer-a', labels: { zone: 'a' }, expiresAt: '2030-01-04T00:00:00.000Z' }, {}],
    });
  });
});
