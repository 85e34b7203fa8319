import { type Operation, refusalsOf } from '../../../src/openapi/operation.ts';
import { operations } from '../../../src/openapi/operations.ts';
import { problemShape } from '../../../src/openapi/shapes/problem.ts';

/** Throws for a refusal that the operation which was asked for does not name. */
export async function checkDocumented(method: string, address: string, response: Response): Promise<void> {
  if (response.headers.get('content-type') !== 'application/problem+json') return;
  const { pathname } = new URL(address);
  const asked = Object.values<Operation>(operations).find(
    (operation) => operation.method === method.toLowerCase() && patternOf(operation).test(pathname),
  );
  const { code } = problemShape.parse(await response.clone().json());
  if (asked === undefined || refusalsOf(asked).some((known) => known === code)) return;
  throw new Error(`${asked.id} was refused with ${code}, which its entry in src/openapi/ does not name`);
}

function patternOf({ path }: Operation): RegExp {
  return new RegExp(`^${path.replace('{path}', '.+').replaceAll(/\{\w+\}/g, '[^/]+')}$`);
}
