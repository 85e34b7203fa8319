import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import packageFile from '../../package.json' with { type: 'json' };
import { output, programOnPath } from './commands.ts';
import { checkContents, type Packed } from './contents.ts';
import * as steps from './steps.ts';

/** Packs the package, installs it into an empty folder as anybody would, and uses it there. */
const checkout = fileURLToPath(new URL('../..', import.meta.url));
const place = await mkdtemp(join(tmpdir(), 'bidmesh-package-'));
try {
  await check();
} finally {
  await rm(place, { recursive: true });
}

async function step(name: string, work: () => Promise<string>): Promise<void> {
  const startedMs = performance.now();
  const found = await work();
  console.log(`${name}: ${found} (${((performance.now() - startedMs) / 1000).toFixed(1)} s)`);
}

async function check(): Promise<void> {
  const packed = JSON.parse(
    await output('npm', ['pack', '--json', '--pack-destination', place], { cwd: checkout, env: process.env }),
  )[0] as Packed;
  const installed = await install(join(place, packed.filename));
  const version = (await output(installed.bareNode, ['--version'], { cwd: place })).trim();
  const isOld = Number(/\d+/.exec(version)?.[0]) < 22;
  console.log(`Node.js ${version} is on the path${isOld ? ', too old for a node' : ''}.`);
  await step('contents', () => checkContents(packed, join(installed.folder, 'node_modules', 'bidmesh')));
  await step('version', () => steps.tellsItsVersion(installed, packageFile.version));
  await step('demo', () => steps.runsTheDemo(installed));
  await step('start', () => steps.startsANode(installed));
  await step("import { startNode } from 'bidmesh'", () => steps.isStartedByAProgram(installed));
  await step("'bidmesh/client' in a browser", () => steps.isForBrowsers(installed));
  await step('types', () => steps.hasTypes(installed));
  if (isOld) {
    await step("import from 'bidmesh' on an old Node.js", () => steps.refusesAnOldNode(installed));
    await step('killed behind an old Node.js', () => steps.endsWithItsParent(installed));
    await step('old Node.js alone', () => steps.saysWhatItNeeds(installed));
  } else {
    console.log('Left out here: what an old Node.js gets, as there is none on the path.');
  }
}

async function install(tarball: string): Promise<steps.Installed> {
  const folder = await mkdtemp(join(place, 'empty-'));
  await writeFile(join(folder, 'package.json'), '{ "private": true, "type": "module" }');
  await output('npm', ['install', '--no-audit', '--no-fund', tarball], { cwd: folder });
  const bin = join(folder, 'node_modules', '.bin');
  const bareNode = programOnPath('node') ?? process.execPath;
  const brought = `node-${process.platform}-${process.arch}` in packageFile.optionalDependencies;
  const newNode = brought
    ? join(folder, 'node_modules', `node-${process.platform}-${process.arch}`, 'bin', 'node')
    : bareNode;
  return { folder, bidmesh: join(bin, 'bidmesh'), bareNode, newNode };
}
