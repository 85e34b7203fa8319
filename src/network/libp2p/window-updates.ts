import type { MessageStream, Stream, StreamMuxer } from '@libp2p/interface';
import { yamux } from '@libp2p/yamux';

/** States of a yamux stream in which an update opens or answers it, or in which it must not be sent. */
const OPENING = 0;
const ANSWERING = 2;
const PAUSED = 5;

/**
 * Yamux that tells the other side of room when half of the window is used up, and not after each message. An update is
 * a frame of its own, encrypted and sent; for small messages it costs more than reading them. The other side never
 * waits for it: half of the window is left when it is sent.
 */
export function sparingYamux(
  init: NonNullable<Parameters<typeof yamux>[0]>,
  paced: (muxer: StreamMuxer, connection: MessageStream) => void,
): ReturnType<typeof yamux> {
  const create = yamux(init);
  return () => {
    const factory = create();
    const createMuxer = factory.createStreamMuxer.bind(factory);
    factory.createStreamMuxer = (connection) => {
      const muxer = createMuxer(connection);
      paced(muxer, connection);
      const newStream: unknown = Reflect.get(muxer, '_newStream');
      if (typeof newStream !== 'function') return muxer;
      Reflect.set(muxer, '_newStream', (...args: unknown[]): unknown =>
        sparingUpdates(Reflect.apply(newStream, muxer, args)),
      );
      return muxer;
    };
    return factory;
  };
}

/** The stream, with updates only where they matter. Where a version of the library differs it is left as it is. */
export function sparingUpdates(stream: unknown): unknown {
  if (typeof stream !== 'object' || stream === null) return stream;
  const send: unknown = Reflect.get(stream, 'sendWindowUpdate');
  if (typeof send !== 'function') return stream;
  Reflect.set(stream, 'sendWindowUpdate', (): void => {
    if (!hasRoomEnough(stream)) Reflect.apply(send, stream, []);
  });
  return stream;
}

function hasRoomEnough(stream: object): boolean {
  const state: unknown = Reflect.get(stream, 'state');
  const window: unknown = Reflect.get(stream, 'recvWindow');
  const left: unknown = Reflect.get(stream, 'recvWindowCapacity');
  if (typeof state !== 'number' || typeof window !== 'number' || typeof left !== 'number') return false;
  if (state === OPENING || state === ANSWERING || state === PAUSED) return false;
  return left > window / 2;
}

/**
 * Lets the other side send more, or no more than the window that it has. What is under way still comes, as messages:
 * libp2p's own pause would keep it in a list of the chunks that it came in, however small they are.
 */
export function setFlow(stream: Stream, goesOn: boolean): void {
  if (stream.status !== 'open' || stream.readStatus !== 'readable') return;
  const change: unknown = Reflect.get(stream, goesOn ? 'sendResume' : 'sendPause');
  if (typeof change === 'function') Reflect.apply(change, stream, []);
}
