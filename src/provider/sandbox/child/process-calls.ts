import {
  CLOCK,
  CLOCK_FLAG_ABSTIME,
  type Errno,
  ERRNO,
  EVENT_BYTES,
  EVENT_CLOCK,
  SUBSCRIPTION_BYTES,
  WasiError,
} from './wasi-values.ts';
import type { GuestMemory } from './guest-memory.ts';
import type { WasiCalls, WasiContext } from './wasi-context.ts';

const MAX_SUBSCRIPTIONS = 1024;
const NS_PER_MS = 1_000_000n;
const LONGEST_WAIT_MS = 2 ** 31 - 1;
const encoder = new TextEncoder();

/** Everything that is not about files. */
export function processCalls(context: WasiContext): WasiCalls {
  return { ...startCalls(context), ...clockCalls(context), ...endCalls(context), ...socketCalls(context) };
}

function startCalls({ memory, args, env, fillRandom }: WasiContext): WasiCalls {
  return {
    ...textCalls(memory, args, 'args'),
    ...textCalls(memory, env, 'environ'),
    random_get: (at: number, length: number) => fillRandom(memory.bytes(at, length)),
  };
}

/** The two calls on a list of texts. Encoded once: this Python asks for its environment before each write. */
function textCalls(memory: GuestMemory, texts: readonly string[], name: 'args' | 'environ'): WasiCalls {
  const offsets: number[] = [];
  let length = 0;
  for (const text of texts) {
    offsets.push(length);
    length += Buffer.byteLength(text) + 1;
  }
  const joined = encoder.encode(texts.map((text) => `${text}\0`).join(''));
  return {
    [`${name}_sizes_get`]: (countAt: number, sizeAt: number) => {
      memory.setU32(countAt, texts.length);
      memory.setU32(sizeAt, length);
    },
    [`${name}_get`]: (listAt: number, bytesAt: number) => {
      let at = listAt;
      for (const offset of offsets) {
        memory.setU32(at, bytesAt + offset);
        at += 4;
      }
      memory.setBytes(bytesAt, joined);
    },
  };
}

function clockCalls(context: WasiContext): WasiCalls {
  const { memory } = context;
  return {
    clock_res_get: (id: number, resultAt: number) => {
      readClock(context, id);
      memory.setU64(resultAt, id === CLOCK.realtime ? NS_PER_MS : 1000n);
    },
    clock_time_get: (id: number, _precision: bigint, resultAt: number) =>
      memory.setU64(resultAt, readClock(context, id)),
    poll_oneoff: (subscriptionsAt: number, eventsAt: number, count: number, resultAt: number) => {
      const total = count >>> 0;
      if (total === 0 || total > MAX_SUBSCRIPTIONS) throw new WasiError(ERRNO.inval);
      const waits = Array.from({ length: total }, (_, index) =>
        readSubscription(context, subscriptionsAt + index * SUBSCRIPTION_BYTES),
      );
      const shortest = waits.reduce(
        (least, { waitNs }) => (waitNs < least ? waitNs : least),
        waits[0]?.waitNs ?? 0n,
      );
      sleepNs(shortest);
      const due = waits.filter(({ waitNs }) => waitNs <= shortest);
      for (const [index, subscription] of due.entries()) {
        writeEvent(memory, eventsAt + index * EVENT_BYTES, subscription);
      }
      memory.setU32(resultAt, due.length);
    },
    sched_yield: () => {},
  };
}

function endCalls({ end }: WasiContext): WasiCalls {
  return {
    proc_exit: (code: number) => {
      const exitCode = code >>> 0;
      end(
        exitCode === 0
          ? { exitReason: 'completed', exitCode, message: 'The program ended.' }
          : { exitReason: 'exit-code', exitCode, message: `The program exited with code ${exitCode}.` },
      );
    },
    proc_raise: (signal: number) => {
      const exitCode = 128 + (signal & 0x7f);
      end({
        exitReason: 'exit-code',
        exitCode,
        message: `The program raised signal ${signal & 0x7f} against itself.`,
      });
    },
  };
}

/** There are no sockets, so an open descriptor is never one. */
function socketCalls({ descriptors }: WasiContext): WasiCalls {
  const noSockets = (fd: number): never => {
    descriptors.get(fd);
    throw new WasiError(ERRNO.notsock);
  };
  return { sock_accept: noSockets, sock_recv: noSockets, sock_send: noSockets, sock_shutdown: noSockets };
}

function readClock({ nowNs, monotonicNs, cpuNs }: WasiContext, id: number): bigint {
  switch (id) {
    case CLOCK.realtime:
      return nowNs();
    case CLOCK.monotonic:
      return monotonicNs();
    case CLOCK.processCpu:
    case CLOCK.threadCpu:
      return cpuNs();
    default:
      throw new WasiError(ERRNO.inval);
  }
}

interface Subscription {
  readonly userdata: bigint;
  readonly type: number;
  readonly waitNs: bigint;
  readonly errno: Errno;
}

/** How long a subscription has to wait; everything but a clock is ready at once. */
function readSubscription(context: WasiContext, at: number): Subscription {
  const view = context.memory.view(at, SUBSCRIPTION_BYTES);
  const userdata = view.getBigUint64(0, true);
  const type = view.getUint8(8);
  if (type !== EVENT_CLOCK) {
    const errno = context.descriptors.has(view.getUint32(16, true)) ? ERRNO.success : ERRNO.badf;
    return { userdata, type, waitNs: 0n, errno };
  }
  const timeout = view.getBigUint64(24, true);
  const absolute = (view.getUint16(40, true) & CLOCK_FLAG_ABSTIME) !== 0;
  const waitNs = absolute ? timeout - readClock(context, view.getUint32(16, true)) : timeout;
  return { userdata, type, waitNs: waitNs < 0n ? 0n : waitNs, errno: ERRNO.success };
}

function writeEvent(memory: GuestMemory, at: number, { userdata, type, errno }: Subscription): void {
  memory.bytes(at, EVENT_BYTES).fill(0);
  const view = memory.view(at, EVENT_BYTES);
  view.setBigUint64(0, userdata, true);
  view.setUint16(8, errno, true);
  view.setUint8(10, type);
  if (type !== EVENT_CLOCK) view.setBigUint64(16, 1n, true);
}

/** Holds this thread, as a program without threads expects. */
function sleepNs(ns: bigint): void {
  const rounded = (ns + NS_PER_MS - 1n) / NS_PER_MS;
  const ms = rounded > BigInt(LONGEST_WAIT_MS) ? LONGEST_WAIT_MS : Number(rounded);
  if (ms > 0) Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
