import { CodedError } from '../lib/coded-error.ts';

/** The whole body, counted while it comes: never more than `maxBytes` of it are held. Throws `BODY_TOO_LARGE`. */
export async function readBody(request: Request, maxBytes: number): Promise<Uint8Array> {
  const declared = request.headers.get('content-length');
  if (declared !== null) {
    if (Number(declared) > maxBytes) throw tooLarge(maxBytes);
    return new Uint8Array(await request.arrayBuffer());
  }
  const chunks: Uint8Array[] = [];
  let sizeBytes = 0;
  const body: AsyncIterable<Uint8Array> | null = request.body;
  if (body === null) return new Uint8Array();
  for await (const chunk of body) {
    sizeBytes += chunk.length;
    if (sizeBytes > maxBytes) throw tooLarge(maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, sizeBytes);
}

function tooLarge(maxBytes: number): CodedError {
  return new CodedError(
    'BODY_TOO_LARGE',
    `A job description may have at most ${maxBytes} bytes. Upload large files with POST /dms/blobs and give their cid.`,
  );
}
