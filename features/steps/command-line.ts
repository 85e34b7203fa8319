import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Given, Then, When } from 'quickpickle';
import { expect } from 'vitest';
import type { MarketWorld } from '../support/market-world.ts';
import { TypedCommands } from '../support/typed-command.ts';

/** What was typed in each scenario, with the node that was asked last. */
const typedIn = new WeakMap<MarketWorld, { readonly commands: TypedCommands; readonly api: string }>();

async function ask(world: MarketWorld, name: string, line: string, input?: string): Promise<void> {
  const commands = await TypedCommands.begin(world.scripts);
  world.context.onTestFinished(() => commands.end());
  const api = world.node(name).node.apiUrl;
  typedIn.set(world, { commands, api });
  await commands.type(line.split(' '), api, input);
}

function typed(world: MarketWorld): { readonly commands: TypedCommands; readonly api: string } {
  const found = typedIn.get(world);
  if (found === undefined) throw new Error('nothing was typed yet');
  return found;
}

When(/^"(\w+)" types "([^"]*)"$/, ask);

When(/^"(\w+)" types "([^"]*)" with the input "([^"]*)"$/, ask);

Given('the case file {string}', async (world: MarketWorld, name: string) => {
  const path = fileURLToPath(new URL(`../../test/fixtures/cases/${name}`, import.meta.url));
  world.scripts.set(name, await readFile(path, 'utf8'));
});

When('the log of the job is followed', async (world: MarketWorld) => {
  const { commands, api } = typed(world);
  const id = /^job (\S+)$/m.exec(commands.last.stderr)?.[1] ?? '';
  await commands.type(['job', 'logs', '--follow', id], api);
});

Then('it printed the output of one attempt, or a line where each later one begins', (world: MarketWorld) => {
  const lines = typed(world).commands.last.stdout.trimEnd().split('\n');
  const marks = lines.filter((line) => line.startsWith('--- attempt '));
  expect(lines.length).toBe(2 * marks.length + 1);
});

When('the job is waited for by the beginning of its id', async (world: MarketWorld) => {
  const { commands, api } = typed(world);
  const id = /^job (\S+)$/m.exec(commands.last.stderr)?.[1] ?? '';
  await commands.type(['job', 'wait', id.slice(0, -2)], api);
});

Then('the command ended with {int}', (world: MarketWorld, exitCode: number) => {
  const { last } = typed(world).commands;
  expect({ exitCode: last.exitCode, stderr: last.stderr }).toEqual({ exitCode, stderr: last.stderr });
});

Then(/^it printed "(.*)"$/, (world: MarketWorld, text: string) => {
  expect(typed(world).commands.last.stdout).toContain(text);
});

Then(
  /^it said "(.*)" or "(.*)" and no more than (\d+) lines$/,
  (world: MarketWorld, one: string, other: string, most: number) => {
    const { stderr } = typed(world).commands.last;
    expect(stderr.includes(one) || stderr.includes(other)).toBe(true);
    expect(stderr.trimEnd().split('\n').length).toBeLessThanOrEqual(Number(most));
  },
);

Then(/^"(.*)" holds the files (.*)$/, async (world: MarketWorld, folder: string, list: string) => {
  const { commands } = typed(world);
  const entries = await readdir(join(commands.folder, folder), { recursive: true, withFileTypes: true });
  const root = join(commands.folder, folder);
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(root.length + 1));
  const wanted = [...list.matchAll(/"(?:[^"\\]|\\.)*"/g)].map(([text]) => String(JSON.parse(text)));
  expect(new Set(files)).toEqual(new Set(wanted));
});
