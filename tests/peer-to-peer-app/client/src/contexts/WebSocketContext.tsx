import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useRef,
  useState,
} from 'react';
import type { ClientMessage, ServerMessage, Signal } from '../../../shared/messages.ts';

type SignalListener = (from: string, signal: Signal) => void;

interface Signaling {
  /** Who watches, for the admin. */
  players: readonly string[];
  /** Whether the admin means to share, for players. */
  sharing: boolean;
  send(message: ClientMessage): void;
  onSignal(listener: SignalListener): () => void;
}

const WebSocketContext = createContext<Signaling | null>(null);

export function useSignaling(): Signaling {
  const signaling = useContext(WebSocketContext);
  if (signaling === null) throw new Error('there is no WebSocketProvider around this');
  return signaling;
}

const AGAIN_MS = 1_000;

interface WebSocketProviderProps {
  room: string;
  as: 'admin' | 'player';
  children: ReactNode;
}

export function WebSocketProvider({ room, as, children }: WebSocketProviderProps) {
  const [players, setPlayers] = useState<readonly string[]>([]);
  const [sharing, setSharing] = useState(false);
  const socket = useRef<WebSocket | null>(null);
  const listeners = useRef(new Set<SignalListener>());
  /** Signals that came before whoever wants them was on the page. */
  const early = useRef<{ from: string; signal: Signal }[]>([]);

  useEffect(() => {
    let timer = 0;
    const receive = (message: ServerMessage) => {
      switch (message.type) {
        case 'players':
          return setPlayers(message.players);
        case 'sharing':
          return setSharing(message.sharing);
        case 'signal':
          if (listeners.current.size === 0) early.current.push(message);
          for (const listener of listeners.current) listener(message.from, message.signal);
      }
    };
    const open = () => {
      const query = new URLSearchParams({ room, as });
      const opened = new WebSocket(`${location.origin.replace('http', 'ws')}/signal?${query}`);
      socket.current = opened;
      opened.onmessage = ({ data }) => receive(JSON.parse(String(data)) as ServerMessage);
      opened.onclose = ({ code }) => {
        // What the server closes on purpose stays closed.
        if (code < 4_000) timer = window.setTimeout(open, AGAIN_MS);
      };
    };
    open();
    return () => {
      clearTimeout(timer);
      if (socket.current === null) return;
      socket.current.onclose = null;
      socket.current.close();
    };
  }, [room, as]);

  const send = useCallback((message: ClientMessage) => {
    if (socket.current?.readyState === WebSocket.OPEN) socket.current.send(JSON.stringify(message));
  }, []);
  const onSignal = useCallback((listener: SignalListener) => {
    listeners.current.add(listener);
    for (const { from, signal } of early.current.splice(0)) listener(from, signal);
    return () => {
      listeners.current.delete(listener);
    };
  }, []);

  return (
    <WebSocketContext value={{ players, sharing, send, onSignal }}>{children}</WebSocketContext>
  );
}
