import { once } from 'node:events';
import { connect, type Socket } from 'node:net';

/** A connection that says what it likes, and the status lines that have come on it. */
export interface RawConnection {
  readonly socket: Socket;
  readonly statuses: string[];
}

/** `opened` is told of the socket at once, so that it is closed whatever becomes of it. */
export async function rawConnection(port: number, opened: (socket: Socket) => void): Promise<RawConnection> {
  const socket = connect(port, '127.0.0.1');
  opened(socket);
  const statuses: string[] = [];
  socket.on('error', () => {});
  socket.on('data', (bytes) => {
    for (const [, status = ''] of bytes.toString('latin1').matchAll(/HTTP\/1\.1 (\d{3})/g))
      statuses.push(status);
  });
  await once(socket, 'connect');
  return { socket, statuses };
}
