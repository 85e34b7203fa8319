import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { constants, setPriority } from 'node:os';
import type { AttackCounts, AttackerWord, AttackOrder } from './attacker.ts';

/** An attacker in a process of its own, ready to begin. */
export class AttackerProcess {
  readonly #child: ChildProcess;
  readonly #ready: Promise<unknown>;

  constructor(order: AttackOrder) {
    const child = fork(new URL('./attacker.ts', import.meta.url), [JSON.stringify(order)]);
    // An attack comes from other machines: it must not take the processors of this one from those that are measured.
    if (child.pid !== undefined) setPriority(child.pid, constants.priority.PRIORITY_LOW);
    this.#child = child;
    this.#ready = this.#word();
    this.#ready.catch(() => {});
  }

  async ready(): Promise<void> {
    await this.#ready;
  }

  begin(): void {
    this.#child.send('go' satisfies AttackerWord);
  }

  /** What it did; the process is gone then, and with it all its connections. */
  async end(): Promise<AttackCounts> {
    const said = this.#word<AttackCounts>();
    this.#child.send('stop' satisfies AttackerWord);
    try {
      return await said;
    } finally {
      await this.kill();
    }
  }

  async kill(): Promise<void> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return;
    const exited = once(child, 'exit');
    child.kill('SIGKILL');
    await exited;
  }

  async #word<T>(): Promise<T> {
    const settled = new AbortController();
    const { signal } = settled;
    const exited = once(this.#child, 'exit', { signal }).then(() => {
      throw new Error('an attacker ended early');
    });
    exited.catch(() => {});
    try {
      const [word] = (await Promise.race([once(this.#child, 'message', { signal }), exited])) as [T];
      return word;
    } finally {
      settled.abort();
    }
  }
}
