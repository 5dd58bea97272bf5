import assert from 'node:assert/strict';
import type { PlayerTab } from '../src/chromium.ts';
import { startCaddy, startNginx, startTinyproxy, startTurn } from '../src/intermediaries.ts';
import { freePort } from '../src/process.ts';
import { pageScript } from '../src/script.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { peerStates } from '../src/transports.ts';
import { until } from '../src/until.ts';

const WHEP = { webTransport: 'none' } as const;
const PORT = await freePort();
const TURN = await freePort();
/** As docs/deploy.md has it for a relay behind a proxy. */
const BEHIND = [
  `--server-public-url=https://127.0.0.1:${PORT}`,
  '--server-trusted-proxies=127.0.0.1/32',
];

/** What carries a player's packets, as its browser says. */
interface Way {
  protocol: string;
  kind: string;
  /** What carries them to the TURN server, if there is one. */
  relayProtocol: string | null;
}

async function way(player: PlayerTab): Promise<Way> {
  return until('a pair of candidates', () =>
    player.page.evaluate(async () => {
      const stats = [...((await window.peers?.at(-1)?.getStats()) ?? [])].map(([, one]) => one);
      const transport = stats.find(({ type }) => type === 'transport');
      const pair = stats.find(({ id }) => id === transport?.selectedCandidatePairId);
      const local = stats.find(({ id }) => id === pair?.localCandidateId);
      if (local === undefined) return null;
      const { protocol, candidateType: kind, relayProtocol = null } = local;
      return { protocol, kind, relayProtocol };
    }),
  );
}

/** Runs in pages: what the relay is told to be reached at over UDP leads nowhere. */
function deafToUdp(): void {
  window.RTCPeerConnection = class extends RTCPeerConnection {
    override setRemoteDescription({ type, sdp = '' }: RTCSessionDescriptionInit) {
      const rest = sdp.replaceAll(/^a=candidate:\S+ \d+ udp .*\r\n/gim, '');
      return super.setRemoteDescription({ type, sdp: rest });
    }
  };
}

/** Runs in pages: nothing but a TURN server is let through. */
function onlyRelayed(): void {
  window.RTCPeerConnection = class extends RTCPeerConnection {
    constructor(configuration?: RTCConfiguration) {
      super({ ...configuration, iceTransportPolicy: 'relay' });
    }
    override setConfiguration(configuration?: RTCConfiguration) {
      super.setConfiguration({ ...configuration, iceTransportPolicy: 'relay' });
    }
  };
}

/** A picture that moves. */
async function share(stage: Stage): Promise<void> {
  const admin = await stage.chromium();
  const host = await admin.openHost(stage.relay, stage.broadcast.publishToken);
  await host.waitUntilLive();
}

/** The port of the stage's relay. */
function portOf({ relay }: Stage): number {
  return Number(new URL(relay.origin).port);
}

/** Where the stage's relay is for a proxy in front of it. */
function addressOf({ relay }: Stage): string {
  return new URL(relay.origin).host;
}

scenario('where no UDP is let through, WebRTC goes over TCP', async (stage) => {
  const { relay, broadcast } = stage;
  await share(stage);
  const audience = await stage.chromium();
  await audience.context.addInitScript({ content: pageScript([deafToUdp], null) });
  const player = await audience.openPlayer(relay, broadcast.playToken, WHEP);
  await player.waitForPicture();
  assert.equal(await player.transport(), 'whep');
  assert.equal((await way(player)).protocol, 'tcp');
  const { firstPictureMs } = await player.records();
  stage.note(`first picture after ${firstPictureMs?.toFixed()} ms`);
  await stage.assertUnharmed({ player });
});

for (const [name, start] of [
  ['nginx', startNginx],
  ['Caddy', startCaddy],
] as const) {
  scenario(
    `behind ${name}, pages and WebSockets come through it and WebRTC over TCP goes beside it`,
    async (stage) => {
      const { broadcast } = stage;
      stage.closeLater(await start(addressOf(stage), PORT));
      await share(stage);
      const audience = await stage.chromium({ trusting: true });
      await audience.context.addInitScript({ content: pageScript([deafToUdp], null) });
      const outside = { origin: `https://127.0.0.1:${PORT}` };
      const player = await audience.openPlayer(outside, broadcast.playToken, WHEP);
      await player.waitForPicture();
      assert.equal(await player.transport(), 'whep');
      assert.equal((await way(player)).protocol, 'tcp');
      const inside = await audience.openPlayer(outside, broadcast.playToken, {
        webTransport: 'tcp',
      });
      await inside.waitForPicture();
      assert.equal(await inside.transport(), 'websocket');
      await stage.assertUnharmed({ player, inside });
    },
    { relay: BEHIND },
  );
}

scenario('through a proxy that carries connections alone, all of it works', async (stage) => {
  const { relay, broadcast } = stage;
  const proxyPort = await freePort();
  const proxy = stage.closeLater(await startTinyproxy(portOf(stage), proxyPort));
  await share(stage);
  const audience = await stage.chromium({ proxyPort, trusting: true });
  await audience.context.addInitScript({ content: pageScript([deafToUdp], null) });
  // Encrypted, so that the browser opens connections through it and does not ask it for pages.
  const outside = { origin: relay.origin.replace('http:', 'https:') };
  const player = await audience.openPlayer(outside, broadcast.playToken, WHEP);
  await player.waitForPicture();
  assert.equal(await player.transport(), 'whep');
  assert.equal((await way(player)).protocol, 'tcp');
  const other = await audience.openPlayer(outside, broadcast.playToken, { webTransport: 'tcp' });
  await other.waitForPicture();
  assert.equal(await other.transport(), 'websocket');
  await stage.assertUnharmed({ player, other });
  // What goes beside it would go on without it.
  await proxy.close();
  await until('WebRTC to have gone with the proxy', async () => {
    return (await peerStates(player.page)).at(-1) !== 'connected';
  });
});

for (const [scheme, over] of [
  ['turn', 'tcp'],
  ['turns', 'tls'],
] as const) {
  scenario(
    `a browser that may reach nothing but a TURN server over ${over.toUpperCase()} watches by it`,
    async (stage) => {
      const { relay, broadcast } = stage;
      stage.closeLater(await startTurn(scheme, TURN));
      await share(stage);
      const audience = await stage.chromium({ trusting: true });
      await audience.context.addInitScript({ content: pageScript([onlyRelayed], null) });
      const player = await audience.openPlayer(relay, broadcast.playToken, WHEP);
      await player.waitForPicture();
      assert.equal(await player.transport(), 'whep');
      assert.deepEqual(await way(player), { protocol: 'udp', kind: 'relay', relayProtocol: over });
      await stage.assertUnharmed({ player });
    },
    { relay: [`--webrtc-ice-servers=${scheme}:127.0.0.1:${TURN}?transport=tcp share PASSWORD`] },
  );
}
