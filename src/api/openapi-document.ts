import { OpenAPIHono } from '@hono/zod-openapi';
import { afterThisTurn } from '../lib/clock.ts';
import type { App } from './routes/route.ts';

type OpenApiDocument = ReturnType<App['getOpenAPI31Document']>;

const DOCUMENT = { openapi: '3.1.0', info: { title: 'Bidmesh', version: '1' } };

/**
 * The OpenAPI document of all routes. In a cold process most of its time goes into what schemas make when they are first
 * looked at; so each route is looked at in a turn of its own before the whole is made, which then takes a third of it.
 */
export async function openApiDocumentOf(app: App): Promise<OpenApiDocument> {
  for (const definition of app.openAPIRegistry.definitions) {
    if (definition.type !== 'route') continue;
    const one = new OpenAPIHono();
    one.openAPIRegistry.registerPath(definition.route);
    one.getOpenAPI31Document(DOCUMENT);
    await new Promise<void>((resolve) => afterThisTurn(resolve));
  }
  return app.getOpenAPI31Document(DOCUMENT);
}
