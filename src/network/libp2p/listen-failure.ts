import { CodedError, messageOf } from '../../lib/coded-error.ts';

/** Why an address cannot be listened on, and what to do about it. */
export function listenFailed(listen: readonly string[], cause: unknown): CodedError {
  const inUse = messageOf(cause).includes('EADDRINUSE');
  const reason = inUse ? 'the port is in use' : 'the address cannot be listened on';
  const next = inUse ? 'Stop the program that uses it, or choose another port' : 'Choose another address';
  return new CodedError(
    'LISTEN_FAILED',
    `Cannot listen on ${listen.join(', ')}: ${reason}. ${next} with --listen.`,
    {
      cause,
      data: { listen },
    },
  );
}
