// Receives the relay's events and checks who has sent them. Node 20 or newer, no packages.
//
// HOOKS_SECRET=... node hook.mjs

import { createHmac, timingSafeEqual } from 'node:crypto';
import { createServer } from 'node:http';

const SECRET = process.env.HOOKS_SECRET;
const TOLERANCE_S = 300;

// What is signed with: behind whsec_ it is in base64, else the text itself.
const key = SECRET.startsWith('whsec_') ? Buffer.from(SECRET.slice(6), 'base64') : SECRET;

/** Whether the relay has sent this body, and has done so just now. */
function isGenuine(headers, body) {
  const id = headers['webhook-id'];
  const sent = Number(headers['webhook-timestamp']);
  if (!(Math.abs(Date.now() / 1_000 - sent) <= TOLERANCE_S)) return false;
  const expected = createHmac('sha256', key).update(`${id}.${sent}.`).update(body).digest();
  return (headers['webhook-signature'] ?? '').split(' ').some((one) => {
    const [version, text = ''] = one.split(',');
    const shown = Buffer.from(text, 'base64');
    return version === 'v1' && shown.length === expected.length && timingSafeEqual(shown, expected);
  });
}

const seen = new Set();

createServer(async (request, response) => {
  const parts = [];
  for await (const part of request) parts.push(part);
  const body = Buffer.concat(parts);
  if (!isGenuine(request.headers, body)) return response.writeHead(401).end();
  const id = request.headers['webhook-id'];
  // An event whose answer was lost comes again.
  if (!seen.has(id)) {
    seen.add(id);
    const { time, event, broadcast = '' } = JSON.parse(body);
    console.log(time, event, broadcast);
  }
  response.writeHead(204).end();
}).listen(9000, '127.0.0.1');
