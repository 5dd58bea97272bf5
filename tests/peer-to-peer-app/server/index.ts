import { readFile } from 'node:fs/promises';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { extname, join, resolve } from 'node:path';
import { text } from 'node:stream/consumers';
import { Admins } from './admins.ts';
import { attachSignaling } from './webrtc-signaling.ts';

type Route = (request: IncomingMessage, response: ServerResponse, url: URL) => Promise<void> | void;

const CLIENT = resolve(import.meta.dirname, '../dist');
const TYPES: Record<string, string> = {
  '.css': 'text/css',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript',
};

const admins = new Admins(process.env['ADMIN_PASSWORD'] ?? 'game night');

const routes: Record<string, Route> = {
  'POST /api/login': async (request, response) => {
    const cookie = admins.login(await text(request));
    if (cookie !== null) response.setHeader('set-cookie', cookie);
    response.writeHead(cookie === null ? 403 : 204).end();
  },
  'GET /api/me': (request, response) => {
    response.writeHead(admins.has(request) ? 204 : 403).end();
  },
};

/** A file of the client's; every page of it is the same one. */
const serveClient: Route = async (_, response, { pathname }) => {
  const path = extname(pathname) === '' ? '/index.html' : pathname;
  const file = await readFile(join(CLIENT, path)).catch(() => null);
  if (file === null) {
    response.writeHead(404).end();
    return;
  }
  response.writeHead(200, { 'content-type': TYPES[extname(path)] ?? '' }).end(file);
};

const server = createServer((request, response) => {
  const url = new URL(request.url ?? '/', 'http://app');
  const route = routes[`${request.method} ${url.pathname}`] ?? serveClient;
  Promise.resolve(route(request, response, url)).catch((error: unknown) => {
    process.stderr.write(`${request.method} ${url.pathname}: ${error}\n`);
    response.writeHead(500).end();
  });
});
attachSignaling(server, admins);
server.listen(Number(process.env['PORT'] ?? 8080), '127.0.0.1');
