import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';
import { completeOpenApi } from '../api/shared/complete-openapi.js';
import { RouteInventory } from '../api/shared/route-inventory.js';

/** The OpenAPI document of every surface, generated from the controllers and their DTOs. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Souk')
    .setDescription(
      "The open add-on marketplace and provisioning broker. The Platform API is laid out as Heroku's: send `Accept: application/vnd.heroku+json; version=3`. Errors are `{id, message}`; lists are paged by `Range` and `Next-Range`.",
    )
    .setVersion('0.1.0')
    .addBearerAuth({
      type: 'http',
      scheme: 'bearer',
      bearerFormat: 'opaque',
      description: 'A token of an account. The scope that a route needs is its `x-souk-scope`.',
    })
    .addBasicAuth({
      type: 'http',
      scheme: 'basic',
      description:
        "An account: any user name, and a token as the password. A provider: its service's slug and password.",
    })
    .build();
  return completeOpenApi(SwaggerModule.createDocument(app, config), app.get(RouteInventory).list());
}

/** `/openapi.json`, and a page to read it at `/docs`. */
export function serveDocs(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
  });
}
