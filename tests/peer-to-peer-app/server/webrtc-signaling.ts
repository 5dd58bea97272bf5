import { randomUUID } from 'node:crypto';
import type { Server } from 'node:http';
import { type WebSocket, WebSocketServer } from 'ws';
import type { ClientMessage, ServerMessage } from '../shared/messages.ts';
import type { Admins } from './admins.ts';

class Room {
  admin: WebSocket | null = null;
  sharing = false;
  readonly players = new Map<string, WebSocket>();

  get empty(): boolean {
    return this.admin === null && this.players.size === 0;
  }
}

/** Takes the words of an admin to the players of the same room, and back. */
export function attachSignaling(server: Server, admins: Admins): void {
  const rooms = new Map<string, Room>();
  new WebSocketServer({ server, path: '/signal' }).on('connection', (socket, request) => {
    const { searchParams } = new URL(request.url ?? '/', 'http://app');
    const name = searchParams.get('room') ?? '';
    const asAdmin = searchParams.get('as') === 'admin';
    if (asAdmin && !admins.has(request)) {
      socket.close(4401, 'not an admin');
      return;
    }
    const room = rooms.get(name) ?? new Room();
    rooms.set(name, room);
    if (asAdmin) attachAdmin(room, socket);
    else attachPlayer(room, socket);
    socket.on('close', () => {
      if (room.empty && rooms.get(name) === room) rooms.delete(name);
    });
  });
}

function attachAdmin(room: Room, socket: WebSocket): void {
  room.admin?.close(4409, 'another admin came');
  room.admin = socket;
  tellAdmin(room);
  socket.on('message', (data) => {
    const message = read(String(data));
    if (message?.type === 'sharing') {
      room.sharing = message.sharing;
      for (const player of room.players.values()) tell(player, message);
    } else if (message?.type === 'signal') {
      const player = room.players.get(message.to ?? '');
      if (player !== undefined) tell(player, { ...message, from: 'admin' });
    }
  });
  socket.on('close', () => {
    if (room.admin === socket) room.admin = null;
  });
}

function attachPlayer(room: Room, socket: WebSocket): void {
  const id = randomUUID();
  room.players.set(id, socket);
  tell(socket, { type: 'sharing', sharing: room.sharing });
  tellAdmin(room);
  socket.on('message', (data) => {
    const message = read(String(data));
    if (message?.type !== 'signal' || room.admin === null) return;
    tell(room.admin, { type: 'signal', from: id, signal: message.signal });
  });
  socket.on('close', () => {
    room.players.delete(id);
    tellAdmin(room);
  });
}

function tellAdmin({ admin, players }: Room): void {
  if (admin !== null) tell(admin, { type: 'players', players: [...players.keys()] });
}

function tell(socket: WebSocket, message: ServerMessage): void {
  socket.send(JSON.stringify(message));
}

/** Null for what is no message. */
function read(text: string): ClientMessage | null {
  try {
    return JSON.parse(text) as ClientMessage | null;
  } catch {
    return null;
  }
}
