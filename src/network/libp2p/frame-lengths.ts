import { noise } from '@chainsafe/libp2p-noise';
import type { SecuredConnection } from '@libp2p/interface';

const LENGTH_BYTES = 2;
/** Longer than any frame, and not more than the decoder takes for a length. */
const NOT_THERE_YET = 0x1_0000;

type Encrypter = ReturnType<ReturnType<typeof noise>>;

/**
 * Noise that finds the end of what has arrived without an exception. Its decoder asks for the length of one more frame
 * after the last one of each packet, and is told that there is none by an error with a stack trace: a twentieth of what
 * a message costs from the socket to its verdict.
 */
export function sparingNoise(): ReturnType<typeof noise> {
  const create = noise();
  return (components): Encrypter => {
    const encrypter = create(components);
    const inbound = encrypter.secureInbound.bind(encrypter);
    const outbound = encrypter.secureOutbound.bind(encrypter);
    encrypter.secureInbound = async (connection, options) => sparing(await inbound(connection, options));
    encrypter.secureOutbound = async (connection, options) => sparing(await outbound(connection, options));
    return encrypter;
  };
}

function sparing<T extends SecuredConnection>(secured: T): T {
  sparingLengths(Reflect.get(secured.connection, 'decoder'));
  return secured;
}

/** Changes a decoder of frames to ask without exceptions. Where a version of the library differs it is left as it is. */
export function sparingLengths(decoder: unknown): void {
  if (typeof decoder !== 'object' || decoder === null) return;
  if (typeof Reflect.get(decoder, 'lengthDecoder') !== 'function') return;
  Reflect.set(decoder, 'lengthDecoder', lengthOf);
}

/** A frame that comes byte by byte is otherwise kept as that many buffers. */
const MOST_PARTS = 64;

interface Arrived {
  readonly byteLength: number;
  /** What it consists of: the types do not show it. */
  bufs?: Uint8Array[];
  subarray(): Uint8Array;
  getUint16(offset: number): number;
}

function lengthOf(arrived: Arrived): number {
  if (arrived.bufs !== undefined && arrived.bufs.length > MOST_PARTS) arrived.bufs = [arrived.subarray()];
  return arrived.byteLength < LENGTH_BYTES ? NOT_THERE_YET : arrived.getUint16(0);
}
