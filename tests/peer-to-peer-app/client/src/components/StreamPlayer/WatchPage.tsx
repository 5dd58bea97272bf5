import { WebSocketProvider } from '../../contexts/WebSocketContext.tsx';
import { WebRTCPlayer } from './WebRTCPlayer.tsx';

export function WatchPage({ room }: { room: string }) {
  return (
    <WebSocketProvider room={room} as="player">
      <main className="watch">
        <WebRTCPlayer />
      </main>
    </WebSocketProvider>
  );
}
