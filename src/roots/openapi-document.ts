import type { INestApplication } from '@nestjs/common';
import { DocumentBuilder, SwaggerModule, type OpenAPIObject } from '@nestjs/swagger';

/** The OpenAPI document of every surface, generated from the controllers and their DTOs. */
export function openApiDocument(app: INestApplication): OpenAPIObject {
  const config = new DocumentBuilder()
    .setTitle('Souk')
    .setDescription(
      "The open add-on marketplace and provisioning broker. The Platform API is laid out as Heroku's: send `Accept: application/vnd.heroku+json; version=3`. Errors are `{id, message}`; lists are paged by `Range` and `Next-Range`.",
    )
    .setVersion('0.1.0')
    .addBearerAuth({ type: 'http', scheme: 'bearer', description: 'A token of an account.' })
    .addBasicAuth({
      type: 'http',
      scheme: 'basic',
      description: "A provider: its service's slug and password.",
    })
    .build();
  return SwaggerModule.createDocument(app, config);
}

/** `/openapi.json`, and a page to read it at `/docs`. */
export function serveDocs(app: INestApplication): void {
  SwaggerModule.setup('docs', app, () => openApiDocument(app), {
    jsonDocumentUrl: 'openapi.json',
    yamlDocumentUrl: 'openapi.yaml',
  });
}
