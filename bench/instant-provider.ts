import { createServer, type IncomingMessage } from 'node:http';

/** A provider that does nothing and does it at once: what a provision costs with it is what Souk itself costs. */
const held = new Set<string>();

const server = createServer((request, response) => {
  const send = (status: number, body: unknown) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(JSON.stringify(body));
  };
  const id = request.url?.split('/').at(-1) ?? '';
  if (request.method === 'POST')
    void read(request).then((text) => {
      const { uuid } = JSON.parse(text) as { uuid: string };
      held.add(uuid);
      send(201, { id: uuid, config: { INSTANT_URL: `instant://${uuid}` }, message: 'Ready.' });
    });
  else if (request.method === 'DELETE') send(held.delete(id) ? 200 : 410, {});
  else send(200, { held: held.size });
});
server.listen(Number(process.env.PORT), '127.0.0.1');
process.once('SIGTERM', () => {
  server.close();
  server.closeAllConnections();
});

async function read(request: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of request.setEncoding('utf8')) text += String(chunk);
  return text;
}
