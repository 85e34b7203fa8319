import { z } from 'zod';
import type { ContentParam } from '../../engines/engine.ts';
import { isContentId } from '../../lib/canonical.ts';
import { jobLimits } from './job-limits.ts';

const INLINE_BASE64_LENGTH = Math.ceil(jobLimits.inlineBytes / 3) * 4;
const TOO_LONG_INLINE = 'longer than 1 MiB: upload it with POST /dms/blobs and give its cid';

const contentId = z.string().max(128).refine(isContentId, 'expected a content id (CIDv1)');
const byContentId = z.strictObject({ cid: contentId });
const inlineBase64 = z.strictObject({ base64: z.base64().max(INLINE_BASE64_LENGTH) });
const inlineText = z.strictObject({
  text: z
    .string()
    .max(jobLimits.inlineBytes, TOO_LONG_INLINE)
    // Beyond that many letters it was said already.
    .refine(
      (text) => text.length > jobLimits.inlineBytes || Buffer.byteLength(text) <= jobLimits.inlineBytes,
      TOO_LONG_INLINE,
    ),
});
const inline = { text: inlineText, base64: inlineBase64 };

/** A path means something to the CLI only, which uploads the file and puts `{ cid }` in its place. */
const noPath = z.string().transform((path, context): never => {
  context.addIssue({
    code: 'custom',
    message: `a path (${path.slice(0, 64)}) can only be read by the command line tool: give { cid } instead, or use "bidmesh job post"`,
  });
  return z.NEVER;
});

/** Content as a description names it, or holds it. */
export type ContentSource =
  | { readonly cid: string }
  | { readonly text: string }
  | { readonly base64: string };

export function isContentSource(value: unknown): value is ContentSource {
  if (typeof value !== 'object' || value === null) return false;
  return 'cid' in value || 'text' in value || 'base64' in value;
}

/** Content by its id, or in one of the forms that it may have inline here. */
export function contentSource(forms: readonly ContentParam['inline'][]): z.ZodType<ContentSource> {
  const choices = ['{ cid }', ...forms.map((form) => `{ ${form} }`)];
  const choice = `${choices.slice(0, -1).join(', ')} or ${choices.at(-1) ?? ''}`;
  return z.union([byContentId, ...forms.map((form) => inline[form]), noPath], {
    error: `expected ${choice}, or a path with the command line tool`,
  });
}

/** A string is the text itself and never a path. */
export const standardInput = z.union(
  [inlineText.shape.text, byContentId, inlineText, inlineBase64],
  'expected text, { cid }, { text } or { base64 }, of at most 1 MiB where it is not a cid',
);
