import { useEffect, useRef, useState } from 'react';
import { useSignaling } from '../../contexts/WebSocketContext.tsx';

/** Shows what the admin sends to this page. */
export function WebRTCPlayer() {
  const { sharing, send, onSignal } = useSignaling();
  const video = useRef<HTMLVideoElement>(null);
  const [state, setState] = useState<RTCPeerConnectionState>('new');

  useEffect(() => {
    let peer: RTCPeerConnection | null = null;
    const answer = async (description: RTCSessionDescriptionInit) => {
      peer?.close();
      const made = new RTCPeerConnection();
      peer = made;
      made.onconnectionstatechange = () => setState(made.connectionState);
      made.onicecandidate = ({ candidate }) => {
        if (candidate !== null) send({ type: 'signal', signal: { candidate } });
      };
      made.ontrack = ({ streams }) => {
        if (video.current !== null) video.current.srcObject = streams[0] ?? null;
      };
      await made.setRemoteDescription(description);
      await made.setLocalDescription();
      if (made.localDescription !== null) {
        send({ type: 'signal', signal: { description: made.localDescription } });
      }
    };
    const forget = onSignal((_, { description, candidate }) => {
      if (description !== undefined) void answer(description);
      if (candidate !== undefined) void peer?.addIceCandidate(candidate);
    });
    return () => {
      forget();
      peer?.close();
    };
  }, [send, onSignal]);

  return (
    <>
      <video ref={video} autoPlay muted playsInline />
      {!sharing && <p>The game master shares nothing yet.</p>}
      {sharing && state !== 'connected' && <p>Connecting …</p>}
    </>
  );
}
