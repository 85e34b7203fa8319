import { join, resolve } from 'node:path';
import type { z } from 'zod';
import { fieldWords } from '../domain/explain/field-words.ts';
import { CodedError } from '../lib/coded-error.ts';
import { CONFIG_FILE, readConfigFile, writeDefaultConfig } from './config-file.ts';
import { type Environment, readEnvironment } from './environment.ts';
import { type Layer, MergedLayers, type Tree } from './layers.ts';
import { type NodeConfig, nodeConfig } from './schema.ts';

/** Of all that is wrong with a configuration, so that it can be read. */
const MOST_TOLD = 32;

export interface ConfigRequest {
  readonly home: string;
  /** Relative paths start here. */
  readonly cwd: string;
  readonly env: Environment;
  /** Values given on the command line, each with the flag as its source. */
  readonly flags: readonly Layer[];
  /** Must exist when given; else the file in the data directory is read, where there is one. */
  readonly configFile?: string;
  /** Writes a commented copy of the defaults into the data directory when it has no file yet. */
  readonly writeMissingFile?: boolean;
}

export interface LoadedConfig {
  readonly config: NodeConfig;
  /** The file that was read. */
  readonly file?: string;
  /** The file that was made. */
  readonly created?: string;
}

/**
 * Flags before environment before file before defaults. A loader of our own, because each error must name the key
 * and where its value came from, and must never repeat a value: some are secrets.
 * Throws `CONFIG_INVALID`, `CONFIG_NOT_FOUND`, `CONFIG_UNREADABLE` or `CONFIG_NOT_WRITTEN`.
 */
export async function loadConfig(request: ConfigRequest): Promise<LoadedConfig> {
  const environment = readEnvironment(nodeConfig, request.env);
  const above = [...environment, ...request.flags];
  const wanted = request.configFile === undefined ? undefined : absolute(request.configFile, request);
  const dataDir = absolute(dataDirOf(above), request);
  const file = wanted ?? join(dataDir, CONFIG_FILE);
  const tree = await readConfigFile(file);
  if (tree === undefined && wanted !== undefined) {
    throw new CodedError(
      'CONFIG_NOT_FOUND',
      `There is no file ${wanted}. Leave --config out to use the defaults.`,
    );
  }
  const config = parse(tree, file, above);
  const loaded = { ...config, dataDir: absolute(config.dataDir, request) };
  if (tree !== undefined) return { config: loaded, file };
  if (request.writeMissingFile !== true) return { config: loaded };
  return { config: loaded, created: await writeDefaultConfig(dataDir) };
}

/** The file is inside it, so it must make sense before anything is read. Throws `CONFIG_INVALID`. */
function dataDirOf(layers: readonly Layer[]): string {
  const layer = layers.findLast(({ path }) => path.length === 1 && path[0] === 'dataDir');
  return parse(undefined, '', layer === undefined ? [] : [layer]).dataDir;
}

function absolute(path: string, { home, cwd }: ConfigRequest): string {
  if (path === '~') return home;
  return path.startsWith('~/') ? join(home, path.slice(2)) : resolve(cwd, path);
}

function parse(tree: Tree | undefined, file: string, above: readonly Layer[]): NodeConfig {
  const merged = new MergedLayers();
  if (tree !== undefined) merged.add({ source: file, path: [], value: tree });
  for (const layer of above) merged.add(layer);
  const parsed = nodeConfig.safeParse(merged.tree, { error: fieldWords });
  if (parsed.success) return parsed.data;
  throw invalid(parsed.error, merged);
}

function invalid(error: z.ZodError, merged: MergedLayers): CodedError {
  const found = error.issues.flatMap((issue) => {
    const keys = issue.code === 'unrecognized_keys' ? issue.keys : [undefined];
    return keys.map((key) => {
      const path = key === undefined ? issue.path : [...issue.path, key];
      const cause = issue.code === 'invalid_key' ? issue.issues[0] : undefined;
      const message = key === undefined ? (cause ?? issue).message : 'unknown key';
      return { key: path.map(String).join('.'), source: merged.sourceOf(path), message };
    });
  });
  // What else is wrong with a value follows from the first, as a rule.
  const errors = found.filter(({ key }, index) => found.findIndex((other) => other.key === key) === index);
  const told = errors.slice(0, MOST_TOLD);
  const lines = told.map(({ key, source, message }) => `  ${key} (${source}): ${message}`);
  if (errors.length > told.length) lines.push(`  and ${errors.length - told.length} more`);
  return new CodedError(
    'CONFIG_INVALID',
    `The configuration is not valid:\n${lines.join('\n')}\nThe keys and their meaning are in config/default.yaml.`,
    { data: { errors: told } },
  );
}
