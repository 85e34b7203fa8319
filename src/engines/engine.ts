import type { z } from 'zod';

/** What an engine is wherever it runs: all that a job, its checks and the command line have to know of it. */
export interface Engine {
  /** What jobs, adverts and constraints call it: small letters, digits and dashes, a letter first, at most 32. */
  readonly type: string;
  /** Its params that are content: brought to the provider before the program starts, each as a file of that name. */
  readonly content: Readonly<Record<string, ContentParam>>;
  /** Its other params. Each takes what it gave again: it is asked of the description and of the invocation. */
  readonly params: Readonly<Record<string, z.ZodType>>;
  /** With less memory than this no program of the engine starts. */
  readonly leastMemoryBytes: number;
  /** Folders inside that no input and no output may lie in, and why not. */
  readonly reserved: readonly ReservedFolder[];
  /** How the command line makes a job of a program alone; left out, it takes descriptions only. */
  readonly shortcut?: ProgramShortcut;
}

export interface ContentParam {
  /** The form in which a description may hold it, beside naming it by its content id. */
  readonly inline: 'text' | 'base64';
}

export interface ReservedFolder {
  readonly path: string;
  readonly why: string;
}

export interface ProgramShortcut {
  /** The content param that the program becomes. */
  readonly param: string;
  /** Of file names, with the dot, in small letters. */
  readonly extensions: readonly string[];
  /** What is piped in has no name. It is of this engine where it begins so, or, with `text`, where it is nothing else. */
  readonly startsWith: Uint8Array | 'text';
}
