/**
 * Takes the pictures of the pages in every state into docs/images: `npm run screenshots`. With `--gallery`
 * and a folder, there besides in both themes and at every width that matters, to be looked at.
 */

import { mkdir } from 'node:fs/promises';
import type { Page } from 'playwright-core';
import { Chromium } from '../src/chromium.ts';
import { linkTo } from '../src/links.ts';
import type { HostPage, PanelPage, PlayerPage } from '../src/pages.ts';
import { type CreatedBroadcast, Relay } from '../src/relay.ts';
import { until } from '../src/until.ts';
import { IMAGES, shoot, shootAll } from './camera.ts';
import { MAP_SIZE, mapScript } from './map.ts';
import { showPrivate } from './private.ts';

interface Set {
  relay: Relay;
  broadcast: CreatedBroadcast;
  admin: Chromium;
  viewers: Chromium;
}

async function main(): Promise<void> {
  await mkdir(IMAGES, { recursive: true });
  const relay = await Relay.start();
  const admin = await Chromium.launch({ viewport: MAP_SIZE, scene: { moving: false } });
  const viewers = await Chromium.launch({ viewport: MAP_SIZE });
  try {
    await admin.context.addInitScript({ content: mapScript() });
    const broadcast = await relay.createBroadcast('Game night');
    await play({ relay, broadcast, admin, viewers });
    await showPrivate(admin, viewers);
  } finally {
    await viewers.close();
    await admin.close();
    await relay.remove();
  }
}

async function showDesk({ relay, viewers }: Set): Promise<void> {
  const page = await viewers.context.newPage();
  await page.goto(relay.origin);
  await shootAll(page, 'start');
  await page.goto(`${relay.origin}/admin`);
  await page.getByLabel('Admin key').waitFor();
  await shootAll(page, 'desk-key');
  await page.getByLabel('Admin key').fill(relay.adminKey);
  await page.getByRole('button', { name: 'Open desk' }).click();
  await page.getByText('Game night').first().waitFor();
  await shoot(page, 'desk');
  await page.close();
}

/** The part is chosen before anybody sees it. */
async function showStandby({ relay, admin }: Set): Promise<void> {
  const { publishToken } = await relay.createBroadcast('Game night');
  const panel = await admin.openPanel(relay, publishToken);
  const host = await panel.share('Choose a part first');
  await host.page.setViewportSize(MAP_SIZE);
  await host.waitFor('in standby', ({ state, source }) => {
    return state === 'standby' && source?.width === MAP_SIZE.width;
  });
  await panel.crop({ x: 160, y: 60, width: 960, height: 540 });
  await host.waitFor('cropped', ({ crop }) => crop?.width === 960);
  await shoot(panel.page, 'panel-standby');
  await shootAll(host.page, 'capture-standby');
  await panel.page.getByRole('button', { name: 'Do not share' }).click();
  await panel.waitForPresence('none');
  await panel.page.close();
}

async function play(set: Set): Promise<void> {
  const { relay, broadcast, admin, viewers } = set;
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  await panel.page.getByRole('button', { name: 'Share screen' }).first().waitFor();
  await shoot(panel.page, 'panel-idle');
  const player = await viewers.openPlayer(relay, broadcast.playToken, { places: null });
  await player.waitForState('waiting');
  await shoot(player.page, 'player-waiting');
  const host = await share(panel);
  await panel.crop({ x: 160, y: 60, width: 960, height: 540 });
  await until('the crop', async () => (await player.records()).picture?.width === 960);
  await showLive(panel, player, host, player.page);
  await showDesk(set);
  await showStandby(set);
  await showWebRtc(set);
  await showRenditions(set, panel, host);
  await showAway(set, panel, player, player.page, host);
  await showTakenOver(set);
  await showExpired(set);
  await showUndecodable(set);
}

async function share(panel: PanelPage): Promise<HostPage> {
  const host = await panel.share();
  await host.page.setViewportSize(MAP_SIZE);
  await host.waitUntilLive();
  return host;
}

async function showLive(
  panel: PanelPage,
  player: PlayerPage,
  host: HostPage,
  page: Page,
): Promise<void> {
  await player.waitForState('live');
  // Long enough for charts with something in them.
  const sent = (await host.status())?.counts.framesSent ?? 0;
  await host.waitFor('live for a while', ({ counts }) => counts.framesSent > sent + 150);
  await page.mouse.move(640, 400);
  await page.mouse.move(640, 420);
  await shoot(page, 'player-live');
  await page.keyboard.press('s');
  await shoot(page, 'player-motion');
  await page.keyboard.press('Escape');
  await shoot(panel.page, 'panel-live');
  await shootAll(host.page, 'capture-live');
  await showSound(panel.page, host);
  await page.keyboard.press('?');
  await shootAll(page, 'player-keys');
  await page.keyboard.press('Escape');
  await page.keyboard.press('i');
  await shootAll(page, 'player-details');
  await page.keyboard.press('i');
  await page.keyboard.press('+');
  await shootAll(page, 'player-zoomed');
  await page.keyboard.press('0');
  await panel.page.getByRole('button', { name: 'Pause the picture' }).click();
  await player.waitForState('paused');
  await shoot(page, 'player-paused');
  await shootAll(panel.page, 'panel-paused');
  await panel.page.getByRole('button', { name: 'Show the picture again' }).click();
  await player.waitForState('live');
  await host.page.evaluate('void (window.map.moving = false)');
  await player.waitForState('static');
  await page.mouse.move(640, 380);
  await shoot(page, 'player-static');
}

/** A microphone beside the tab, both muted, and a picture that was shared without its sound. */
async function showSound(panel: Page, host: HostPage): Promise<void> {
  const choice = panel.getByRole('combobox', { name: 'Microphone' });
  const begin = panel.getByRole('button', { name: 'Use a microphone…' });
  await choice.or(begin).waitFor();
  if (await begin.isVisible()) await begin.click();
  else await choice.selectOption({ index: 1 });
  await host.waitFor('listening', ({ sound }) => sound.microphone.label !== null);
  await shootAll(panel, 'panel-sound');
  await panel.getByRole('button', { name: 'Mute: The tab’s sound' }).click();
  await panel.getByRole('button', { name: 'Mute: Microphone' }).click();
  await panel.getByText('All sound is muted').waitFor();
  await shootAll(panel, 'panel-sound-muted');
  await choice.selectOption({ label: 'None' });
  await panel.getByRole('button', { name: 'Unmute: The tab’s sound' }).click();
  await panel.getByText('Viewers hear the tab’s sound.').waitFor();
}

/** Viewers whose browsers lack AV1. */
async function showRenditions(
  { relay, broadcast }: Set,
  panel: PanelPage,
  host: HostPage,
): Promise<void> {
  await host.page.evaluate('void (window.map.moving = true)');
  const plain = await Chromium.launch({ viewport: MAP_SIZE, lacks: [{ prefix: 'av01' }] });
  try {
    for (let count = 0; count < 2; count += 1) {
      const player = await plain.openPlayer(relay, broadcast.playToken, { places: null });
      await player.waitForState('live');
    }
    await panel.page.getByText('for 2 viewers').waitFor();
    await until('its bitrate', async () => {
      const [rendition] = (await panel.status())?.renditions ?? [];
      return (rendition?.bitsPerSecond ?? 0) > 100_000;
    });
    await shoot(panel.page, 'panel-renditions');
  } finally {
    await plain.close();
    await host.page.evaluate('void (window.map.moving = false)');
  }
}

/** A viewer for whom nothing can be made. */
async function showUndecodable({ relay }: Set): Promise<void> {
  const { publishToken, playToken } = await relay.createBroadcast('Game night');
  const lacks = [{ prefix: 'avc1', coder: 'encoder' }] as const;
  const admin = await Chromium.launch({ viewport: MAP_SIZE, lacks });
  const others = ['av01', 'vp09', 'vp8'].map((prefix) => ({ prefix }));
  const plain = await Chromium.launch({ viewport: MAP_SIZE, lacks: others });
  try {
    const panel = await admin.openPanel(relay, publishToken);
    await (await panel.share()).waitUntilLive();
    const player = await plain.openPlayer(relay, playToken, { places: null });
    await player.waitForState('undecodable');
    await shoot(player.page, 'player-undecodable');
  } finally {
    await plain.close();
    await admin.close();
  }
}

/** The same over WebRTC, and what is different there. */
async function showWebRtc({ relay, broadcast, viewers }: Set): Promise<void> {
  const player = await viewers.openPlayer(relay, broadcast.playToken, {
    places: null,
    webTransport: 'none',
  });
  await player.waitForState('static');
  await player.page.getByRole('button', { name: 'Details' }).click();
  await until('a round trip', async () => (await player.records()).rttMs !== null);
  await shoot(player.page, 'player-webrtc');
  await player.page.close();
  await showTap({ relay, broadcast, viewers });
}

/** A phone that saves power lets nothing play by itself. */
async function showTap({ relay, broadcast, viewers }: Omit<Set, 'admin'>): Promise<void> {
  const page = await viewers.context.newPage();
  await page.setViewportSize({ width: 390, height: 844 });
  await page.addInitScript(() => {
    Reflect.deleteProperty(globalThis, 'WebTransport');
    HTMLMediaElement.prototype.play = async () => {
      throw new DOMException('', 'NotAllowedError');
    };
  });
  await page.goto(linkTo(relay.origin, 'play', broadcast.playToken));
  await page.getByRole('button', { name: 'Tap to play' }).waitFor();
  await shoot(page, 'player-tap');
  await page.close();
}

async function showAway(
  { relay, broadcast, admin }: Set,
  panel: PanelPage,
  player: PlayerPage,
  page: Page,
  host: HostPage,
): Promise<void> {
  const other = await admin.openPlayer(relay, 'not-a-token', { places: null });
  await other.waitForState('refused');
  await shoot(other.page, 'player-refused');
  await relay.stop('SIGKILL');
  await player.waitForState('reconnecting');
  await shoot(page, 'player-reconnecting');
  await panel.waitForState('reconnecting');
  await shoot(panel.page, 'panel-reconnecting');
  await relay.startAgain();
  await panel.waitForState('live');
  await until('the picture to be back', async () => {
    return ['live', 'static'].includes((await player.state()).kind);
  });
  await host.page.close();
  await player.waitForState('away');
  await page.bringToFront();
  await shoot(page, 'player-away');
  await relay.endBroadcast(broadcast.id);
  await player.waitForState('ended');
  await shoot(page, 'player-ended');
}

async function showTakenOver({ relay, admin, viewers }: Set): Promise<void> {
  const { publishToken } = await relay.createBroadcast('Game night');
  const panel = await admin.openPanel(relay, publishToken);
  await (await panel.share()).waitUntilLive();
  const rival = await viewers.openPanel(relay, publishToken);
  await rival.clickShare(/Take over|Share screen/);
  await panel.waitForState('superseded');
  await shoot(panel.page, 'panel-superseded');
}

async function showExpired({ relay, broadcast, admin }: Set): Promise<void> {
  const { id } = broadcast;
  const token = await relay.forge({ broadcast: id, role: 'publish', expiresInS: -60 });
  const panel = await admin.openPanel(relay, token);
  await panel.page.getByRole('heading', { name: 'This link leads nowhere' }).waitFor();
  await shoot(panel.page, 'panel-refused');
}

await main();
