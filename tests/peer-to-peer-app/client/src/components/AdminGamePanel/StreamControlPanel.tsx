import { useCallback, useEffect, useRef, useState } from 'react';
import { useSignaling } from '../../contexts/WebSocketContext.tsx';
import { ScreenShareCropper } from './ScreenShareCropper.tsx';

/** Captures, crops and sends, as long as it is on the page. */
export function StreamControlPanel() {
  const { players, send, onSignal } = useSignaling();
  const [source, setSource] = useState<MediaStream | null>(null);
  const [cropped, setCropped] = useState<MediaStream | null>(null);
  const [sharing, setSharing] = useState(false);
  const peers = useRef(new Map<string, RTCPeerConnection>());

  const chooseScreen = async () => {
    try {
      setSource(await navigator.mediaDevices.getDisplayMedia({ video: true, audio: false }));
    } catch {
      // The admin chose nothing.
    }
  };
  const stop = useCallback(() => {
    setSource(null);
    setCropped(null);
    setSharing(false);
    send({ type: 'sharing', sharing: false });
  }, [send]);
  const start = () => {
    setSharing(true);
    send({ type: 'sharing', sharing: true });
  };

  useEffect(() => {
    if (source === null) return;
    const [track] = source.getVideoTracks();
    track?.addEventListener('ended', stop);
    return () => {
      for (const one of source.getTracks()) one.stop();
    };
  }, [source, stop]);

  useEffect(() => {
    const wanted = sharing && cropped !== null ? players : [];
    for (const [player, peer] of peers.current) {
      if (wanted.includes(player)) continue;
      peer.close();
      peers.current.delete(player);
    }
    for (const player of wanted) {
      if (cropped === null || peers.current.has(player)) continue;
      const peer = new RTCPeerConnection();
      peers.current.set(player, peer);
      peer.onicecandidate = ({ candidate }) => {
        if (candidate !== null) send({ type: 'signal', to: player, signal: { candidate } });
      };
      for (const track of cropped.getTracks()) peer.addTrack(track, cropped);
      void offer(peer).then((description) =>
        send({ type: 'signal', to: player, signal: { description } }),
      );
    }
  }, [sharing, cropped, players, send]);

  useEffect(
    () =>
      onSignal((player, { description, candidate }) => {
        const peer = peers.current.get(player);
        if (description !== undefined) void peer?.setRemoteDescription(description);
        if (candidate !== undefined) void peer?.addIceCandidate(candidate);
      }),
    [onSignal],
  );

  useEffect(() => {
    const all = peers.current;
    return () => {
      for (const peer of all.values()) peer.close();
      all.clear();
    };
  }, []);

  return (
    <section>
      <h1>Screen share</h1>
      {source === null ? (
        <button type="button" onClick={chooseScreen}>
          Choose screen
        </button>
      ) : (
        <>
          {sharing ? (
            <button type="button" onClick={stop}>
              Stop stream
            </button>
          ) : (
            <button type="button" disabled={cropped === null} onClick={start}>
              Start Stream to Players
            </button>
          )}
          <ScreenShareCropper source={source} onCropped={setCropped} />
        </>
      )}
      <p>{players.length} watching</p>
    </section>
  );
}

async function offer(peer: RTCPeerConnection): Promise<RTCSessionDescriptionInit> {
  const description = await peer.createOffer();
  await peer.setLocalDescription(description);
  return description;
}
