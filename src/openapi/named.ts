import { z } from 'zod';

/** The shapes that have a name in the OpenAPI document. */
export const namedShapes = z.registry<{ readonly id: string }>();

/** Gives a shape the name that the document and generated clients know it by. */
export function named<Shape extends z.ZodType>(id: string, shape: Shape): Shape {
  namedShapes.add(shape, { id });
  return shape;
}

/** One page of a list, under a name of its own. Where there is a `nextCursor`, asking with it gives the next page. */
export function pageOf<Item extends z.ZodType>(id: string, item: Item) {
  return named(id, z.object({ items: z.array(item), nextCursor: z.string().optional() }));
}
