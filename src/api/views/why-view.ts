import type { Why } from '../../openapi/shapes/why.ts';
import { plainJson } from './plain-json.ts';

export function viewWhy({ code, data }: { readonly code: string; readonly data: object }): Why {
  return { code, data: plainJson(data) };
}
