import { expect, it } from 'vitest';
import { apart, inStereo, overUdp, readStats } from './peer.ts';

const lines = (...text: string[]) => `${text.join('\r\n')}\r\n`;

it('offers to receive both channels', () => {
  const offer = lines(
    'v=0',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111 0',
    'a=rtpmap:111 opus/48000/2',
    'a=fmtp:111 minptime=10;useinbandfec=1',
    'a=rtpmap:0 PCMU/8000',
  );
  const stereo = inStereo(offer);
  expect(stereo).toContain('a=fmtp:111 minptime=10;useinbandfec=1;stereo=1\r\n');
  expect(inStereo(stereo), 'what is said is not said twice').toBe(stereo);
  expect(inStereo('offer')).toBe('offer');
});

it('has sound in a stream of its own, so that no browser has one wait for the other', () => {
  const answer = lines(
    'v=0',
    'm=video 9 UDP/TLS/RTP/SAVPF 96',
    'a=msid:steadycast picture',
    'a=ssrc:1 msid:steadycast picture',
    'm=audio 9 UDP/TLS/RTP/SAVPF 111',
    'a=msid:steadycast tone',
    'a=ssrc:2 msid:steadycast tone',
  );
  expect(apart(answer)).toBe(
    answer
      .replace('a=msid:steadycast tone', 'a=msid:sound tone')
      .replace('a=ssrc:2 msid:steadycast tone', 'a=ssrc:2 msid:sound tone'),
  );
});

it('leaves addresses over UDP alone, and knows those over TCP', () => {
  const udp = 'a=candidate:1 1 udp 2130706431 192.0.2.1 4433 typ host';
  const tcp = 'a=candidate:2 1 tcp 2128609279 192.0.2.1 4433 typ host tcptype passive';
  expect(overUdp(lines('v=0', udp, tcp, 'a=end-of-candidates'))).toBe(
    lines('v=0', udp, 'a=end-of-candidates'),
  );
});

it('reads what a connection has counted of picture and sound', () => {
  const figures = readStats([
    { type: 'inbound-rtp', id: 'v', kind: 'video', bytesReceived: 1_000, framesDecoded: 3 },
    {
      type: 'inbound-rtp',
      id: 'a',
      kind: 'audio',
      packetsReceived: 50,
      packetsLost: 2,
      totalSamplesReceived: 48_000,
      concealedSamples: 1_920,
      timestamp: 1_000_000,
      estimatedPlayoutTimestamp: 2_208_988_800_000 + 999_900,
    },
  ]);
  expect(figures).toMatchObject({
    bytesReceived: 1_000,
    framesDecoded: 3,
    sound: { packetsReceived: 50, packetsLost: 2, samples: 48_000, concealed: 1_920, gaps: 0 },
    heard: { captureUs: 999_900_000, localUs: 1_000_000_000 },
  });
});
