import { parentPort } from 'node:worker_threads';
import { DocumentFault } from '../lib/documents/document-fault.ts';
import { type DocumentFormat, readDocument } from '../lib/documents/read-document.ts';

/** What a thread is asked. */
export interface DocumentQuestion {
  readonly bytes: Uint8Array;
  readonly format: DocumentFormat;
}

/** A fault travels as what it says: threads have classes of their own. */
export type DocumentAnswer =
  | { readonly value: unknown }
  | { readonly fault: Pick<DocumentFault, 'kind' | 'place' | 'quote' | 'reason'> };

parentPort?.on('message', ({ bytes, format }: DocumentQuestion) => {
  parentPort?.postMessage(answerTo(bytes, format));
});

function answerTo(bytes: Uint8Array, format: DocumentFormat): DocumentAnswer {
  try {
    return { value: readDocument(bytes, format).value };
  } catch (error) {
    if (!(error instanceof DocumentFault)) throw error;
    const { kind, place, quote, reason } = error;
    return { fault: { kind, place, quote, reason } };
  }
}
