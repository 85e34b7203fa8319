import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { driversFor, runJob } from './sandbox-run.ts';

const SLOW = { timeout: 30_000 };
const drivers = driversFor('process');
const outputs = [{ name: 'o', path: '/outputs' }];

function program(name: string): string {
  return readFileSync(fileURLToPath(new URL(`../../../fixtures/cases/${name}`, import.meta.url)), 'utf8');
}

describe('programs that once found another world', SLOW, () => {
  it('names.py: every name that a program gives is kept', async () => {
    const { outcome, stdout, files } = await runJob(drivers, {
      engine: 'python',
      program: program('names.py'),
      outputs,
    });
    expect({ exitCode: outcome.exitCode, stdout }).toEqual({ exitCode: 0, stdout: '' });
    const names = Object.keys(files).map((path) => path.slice('o:'.length));
    expect(names).toHaveLength(26);
    expect(names).toEqual(
      expect.arrayContaining(['a:b', 'back\\slash', 'tab\there', 'new\nline', 'CON', '~']),
    );
    for (const name of names.filter((one) => !one.includes('/'))) expect(files[`o:${name}`]).toBe(name);
  });

  it('pack.py: an archive made inside can be read outside', async () => {
    const shown = `
import zipfile, tarfile
print([oct(i.external_attr >> 16) for i in zipfile.ZipFile('/outputs/z.zip').infolist() if not i.is_dir()])
print([oct(i.mode) for i in tarfile.open('/outputs/t.tar') if i.isfile()])
`;
    const { outcome, stdout } = await runJob(drivers, {
      engine: 'python',
      program: `${program('pack.py')}${shown}`,
      outputs,
    });
    expect(outcome.exitCode).toBe(0);
    expect(stdout).toBe("['0o100644', '0o100644']\n['0o644', '0o644']\n");
  });

  it('silent.py: its first line is there while it is silent', async () => {
    const seen: string[] = [];
    const text = program('silent.py');
    expect(text).toContain('time.sleep(320)');
    const { outcome } = await runJob(drivers, {
      engine: 'python',
      program: text.replace('320', '0.5'),
      printed: (part) => void seen.push(part),
    });
    expect(outcome.exitCode).toBe(0);
    expect(seen.join('')).toBe('start\nend\n');
    expect(seen[0]).toMatch(/^start\n?$/);
  });
});
