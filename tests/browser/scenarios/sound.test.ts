import assert from 'node:assert/strict';
import { violations } from '../src/axe.ts';
import { apart, beepScript } from '../src/beeps.ts';
import type { PlayerTab } from '../src/chromium.ts';
import { earScript } from '../src/ear.ts';
import { Firefox } from '../src/firefox.ts';
import { NullSink } from '../src/null-sink.ts';
import type { HostPage } from '../src/pages.ts';
import { NAME_SHIM } from '../src/script.ts';
import { type Stage, scenario } from '../src/stage.ts';
import { pause, until } from '../src/until.ts';

const WHEP = { webTransport: 'none', ear: true } as const;
const TCP = { webTransport: 'tcp', ear: true } as const;
const TONE_HZ = 440;
const OTHER_HZ = 660;
/** A tone of the captured page changes by this much from sample to sample at most, and a fade by a little more. */
const STEP = (hz: number) => 0.25 * ((2 * Math.PI * hz) / 48_000);

async function playTone(host: HostPage, hertz: number): Promise<void> {
  await host.page.evaluate((hz) => window.tone?.play(hz), hertz);
}

const strength = ({ page }: PlayerTab, hz: number) =>
  page.evaluate((hertz) => window.ear?.strength(hertz, 100) ?? 0, hz);

const THROUGH_ALL = 'a tab’s tone is heard, through all that a host does';
scenario(THROUGH_ALL, hearTone, { alsoPrivately: 'webtransport' });

async function hearTone(stage: Stage): Promise<void> {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ sound: 'real' });
  const audience = await stage.chromium({ sound: 'real' });
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share();
  await host.waitUntilLive();
  await playTone(host, TONE_HZ);
  const players = {
    direct: await audience.openPlayer(relay, broadcast.playToken, { ear: true }),
    bridged: await audience.openPlayer(relay, broadcast.playToken, WHEP),
    overTcp: await audience.openPlayer(relay, broadcast.playToken, TCP),
  };
  const all = (act: (player: PlayerTab) => Promise<void>) =>
    Promise.all(Object.values(players).map(act));
  await all((player) => player.waitForTone(TONE_HZ));
  assert.equal(await players.direct.transport(), stage.carrier);
  assert.equal(await players.bridged.transport(), stage.bridged);
  assert.equal(await players.overTcp.transport(), 'websocket');

  await playTone(host, OTHER_HZ);
  await all((player) => player.waitForTone(OTHER_HZ));
  await all(async (player) => {
    await until('nothing of the tone before', async () => (await strength(player, TONE_HZ)) < 0.02);
  });

  await panel.page.getByRole('button', { name: 'Mute: The tab’s sound', exact: true }).click();
  await all((player) => player.waitForSilence());
  await panel.page.getByRole('button', { name: 'Unmute: The tab’s sound' }).click();
  await all((player) => player.waitForTone(OTHER_HZ));

  await panel.page.getByRole('button', { name: 'Pause the picture' }).click();
  await all((player) => player.waitForState('paused').then(() => undefined));
  await pause(500);
  await all((player) => player.waitForTone(OTHER_HZ));
  await panel.page.getByRole('button', { name: 'Show the picture' }).first().click();
  await all((player) => player.waitForState('live').then(() => undefined));

  await host.page.reload();
  await host.waitUntilLive();
  await all((player) => player.waitForSilence());
  await playTone(host, TONE_HZ);
  await all((player) => player.waitForTone(TONE_HZ));
}

scenario(
  'a viewer has the sound off and on again, by keys, and it makes no click',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium({ sound: 'real' });
    const audience = await stage.chromium({ sound: 'real' });
    const host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    await playTone(host, TONE_HZ);
    const player = await audience.openPlayer(relay, broadcast.playToken, { ear: true });
    await player.waitForTone(TONE_HZ);
    const listeners = (count: number) =>
      until(`${count} listeners`, async () => (await stage.snapshot()).sound?.listeners === count);
    await listeners(1);
    const button = player.page.getByRole('button', { name: 'Sound' });
    assert.equal(await button.getAttribute('aria-pressed'), 'true');
    assert.deepEqual(await violations(player.page), []);

    await player.page.evaluate(() => window.ear?.reset());
    await player.page.keyboard.press('m');
    await player.waitForSilence();
    await listeners(0);
    assert.equal(await button.getAttribute('aria-pressed'), 'false');
    await player.page.keyboard.press('m');
    await player.waitForTone(TONE_HZ);
    const step = await player.page.evaluate(() => window.ear?.largestStep ?? 1);
    stage.note(`largest step ${step.toFixed(4)}, of the tone itself ${STEP(TONE_HZ).toFixed(4)}`);
    assert.ok(step < STEP(TONE_HZ) * 2.5, `a click of ${step}`);

    for (let times = 0; times < 5; times += 1) await player.page.keyboard.press('ArrowDown');
    await until('half as loud', async () => {
      const heard = await strength(player, TONE_HZ);
      return heard > 0.04 && heard < 0.09;
    });
    // It is remembered.
    await player.page.reload();
    await until('as loud as before', async () => {
      const heard = await strength(player, TONE_HZ);
      return heard > 0.04 && heard < 0.09;
    });
  },
);

/** Drivers have whatever they ask of a page pass for a touch, unless they are told not to. */
async function waitUntouched({ page }: PlayerTab, expression: string): Promise<void> {
  const cdp = await page.context().newCDPSession(page);
  await until(expression, async () => {
    const { result } = await cdp.send('Runtime.evaluate', { expression, userGesture: false });
    return result.value === true;
  });
  await cdp.detach();
}

scenario(
  'where the browser wants a touch the picture is there at once, and the sound after it',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium({ sound: 'real' });
    const audience = await stage.chromium({ sound: 'shy' });
    const host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    await playTone(host, TONE_HZ);
    for (const options of [{ ear: true }, WHEP]) {
      const player = await audience.openPlayer(relay, broadcast.playToken, options);
      await waitUntouched(player, "window.steadycast?.state().kind === 'live'");
      await waitUntouched(player, "document.querySelector('.player-tap-sound') !== null");
      const tap = player.page.getByRole('button', { name: 'Tap for sound' });
      assert.deepEqual(await violations(player.page), []);
      await tap.click();
      await player.waitForTone(TONE_HZ);
      assert.equal(await tap.isVisible(), false);
      await player.page.close();
    }
  },
);

const share = (values: readonly number[], part: number) =>
  values.toSorted((one, other) => one - other)[Math.floor(values.length * part)] ?? Number.NaN;

scenario('flash and beep are seen and heard together', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium({ sound: 'real', scene: { moving: false } });
  const audience = await stage.chromium({ sound: 'real' });
  await admin.context.addInitScript({ content: beepScript('/host') });
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const players = {
    WebTransport: await audience.openPlayer(relay, broadcast.playToken, {
      ear: true,
      places: null,
    }),
    WebRTC: await audience.openPlayer(relay, broadcast.playToken, {
      ...WHEP,
      places: null,
      apart: true,
    }),
  };
  for (const player of Object.values(players)) {
    await until('a picture', async () => (await player.records()).framesShown > 0);
  }
  await host.page.evaluate(() => window.beeps?.begin(1_000));
  await pause(5_000);
  for (const { page } of Object.values(players)) await page.evaluate(() => window.ear?.reset());
  await pause(20_000);
  const made = await host.page.evaluate(() => window.beeps?.times ?? []);
  for (const [name, { page }] of Object.entries(players)) {
    const { beeps, flashes } = await page.evaluate(() => ({
      beeps: window.ear?.beeps ?? [],
      flashes: window.ear?.flashes ?? [],
    }));
    const heard = apart(beeps, made);
    const off = apart(beeps, flashes);
    const worst = share(off.map(Math.abs), 0.95);
    stage.note(
      `${name}: ${beeps.length} beeps, mouth to ear p50 ${share(heard, 0.5).toFixed()} ms, ` +
        `against the picture p50 ${share(off, 0.5).toFixed()}, p95 of the absolute value ${worst.toFixed()} ms`,
    );
    assert.ok(off.length >= 12, `${name}: ${off.length} beeps had their flash`);
    // A busy machine shows pictures late by itself.
    assert.ok(Math.abs(share(off, 0.5)) < 60, `${name}: sound and picture keep together`);
  }
});

scenario(
  'Firefox is heard too, over both transports',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium({ sound: 'real' });
    const host = await admin.openHost(relay, broadcast.publishToken);
    await host.waitUntilLive();
    const sink = stage.closeLater(await NullSink.start());
    const firefox = stage.closeLater(await Firefox.launch(sink));
    const lens = await admin.openLens();
    const prepare = `${NAME_SHIM};${earScript('/play')}`;
    // It connects to nobody on this machine's own address over WebRTC, and has no WebTransport on plain pages.
    for (const origin of [relay.origin, relay.networkOrigin]) {
      if (origin === null) {
        stage.note('WebRTC is left out: this machine has no network');
        continue;
      }
      await playTone(host, TONE_HZ);
      const player = await firefox.openPlayer(relay, broadcast.playToken, lens, origin, prepare);
      await player.waitForTone(TONE_HZ);
      await playTone(host, OTHER_HZ);
      await player.waitForTone(OTHER_HZ);
      stage.note(`heard over ${await player.transport()}`);
      await player.page.close();
    }
  },
  { everywhere: true },
);
