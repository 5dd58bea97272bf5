import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { assertUnharmed, ms } from '../src/checks.ts';
import { makePrivateBroadcast } from '../src/desk.ts';
import { Firefox } from '../src/firefox.ts';
import { Meddler } from '../src/meddler.ts';
import { PanelPage } from '../src/pages.ts';
import { linksOf, PRIVATE_RELAY, wholeLink } from '../src/private-links.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

const PRIVATE = { relay: [...PRIVATE_RELAY, '--log-level=trace'] };
const TCP = { webTransport: 'tcp' } as const;
/** On a machine that compiles as well. */
const OLD_MS = 10_000;

scenario(
  'a private broadcast is seen by people with the link, over WebTransport and WebSocket',
  async (stage) => {
    const { relay, broadcast } = stage;
    const { key, publish, play } = linksOf(stage);
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, publish);
    await host.waitUntilLive();
    const direct = await admin.openPlayer(relay, play);
    const overTcp = await admin.openPlayer(relay, play, { ...TCP, apart: true });
    for (const player of [direct, overTcp]) await player.waitForPicture();
    assert.deepEqual(
      [await direct.transport(), await overTcp.transport()],
      ['webtransport', 'websocket'],
    );
    const without = await admin.openPlayer(relay, broadcast.playToken, {
      places: null,
      apart: true,
    });
    await without.waitForState('locked');
    await without.page.getByText('This link lacks the key').first().waitFor();
    await without.page.close();

    await host.page.reload();
    await host.waitUntilLive();
    const scene = await host.scene();
    for (const player of [direct, overTcp]) {
      await player.waitForPicture(0, scene);
      await player.waitForState('live');
    }
    await until('a latency', async () => (await direct.records()).latencyP50Ms);
    const { latencyP50Ms, latencyP95Ms } = await direct.records();
    stage.note(`latency ${ms(latencyP50Ms ?? NaN)} / ${ms(latencyP95Ms ?? NaN)}`);
    await stage.assertUnharmed({ direct, overTcp });
    const log = await readFile(relay.logPath, 'utf8');
    assert.ok(log.length > 0 && !log.includes(key), 'the relay has never heard of the key');
  },
  PRIVATE,
);

scenario(
  'a private broadcast is seen in Firefox',
  async (stage) => {
    const { relay } = stage;
    const { publish, play } = linksOf(stage);
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, publish);
    await host.waitUntilLive();
    const firefox = stage.closeLater(await Firefox.launch());
    const player = await firefox.openPlayer(relay, play, await admin.openLens());
    await player.waitForPicture();
    await stage.assertUnharmed({ player });
  },
  PRIVATE,
);

scenario(
  'a host without the key is told so, and shows nobody anything',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, broadcast.publishToken);
    const status = await until('a refusal', async () => {
      const said = await host.status();
      return said?.code === 'private' ? said : null;
    });
    assert.equal(status.state, 'refused');
    const { cache } = await stage.snapshot();
    assert.equal(cache.frames, 0);
  },
  PRIVATE,
);

scenario(
  'what somebody on the way has changed is not shown, the viewer is told, and the picture goes on',
  async (stage) => {
    const { relay } = stage;
    const { publish, play } = linksOf(stage);
    const admin = await stage.chromium();
    const host = await admin.openHost(relay, publish);
    await host.waitUntilLive();
    const meddler = stage.closeLater(await Meddler.start(relay.origin));
    const player = await admin.openPlayer(meddler, play, TCP);
    await player.waitForPicture();
    assert.equal(await player.transport(), 'websocket');
    const note = player.page.getByText('Something on the way has changed the picture').first();
    assert.equal(await note.isVisible(), false);
    for (const round of [1, 2, 3]) {
      meddler.meddle();
      await until('a picture to be changed', async () => meddler.changed === round);
      const { framesShown } = await player.records();
      await until('the picture to go on', async () => {
        const records = await player.records();
        return records.framesShown > framesShown + 10;
      });
    }
    await note.waitFor();
    const privacy = await player.page.evaluate(() => window.steadycast?.privacy());
    const { capturedMs, ...told } = privacy ?? { capturedMs: null };
    assert.deepEqual(told, { lock: 'open', meddled: 'forged', refused: 3 });
    assert.ok(Math.abs(Date.now() - (capturedMs ?? 0)) < OLD_MS, 'the picture is as old as it is');
    await stage.assertUnharmed({ player });
  },
  PRIVATE,
);

scenario(
  'the desk makes a private broadcast, and new links for viewers come with a new key',
  async (stage) => {
    const { relay } = stage;
    const admin = await stage.chromium();
    const desk = await admin.context.newPage();
    await makePrivateBroadcast(desk, relay);
    const panel = new PanelPage(desk);
    await panel.waitForPresence('none');
    await desk.getByText('Encrypted: only people with the link can see this').waitFor();
    const field = desk.getByLabel('Link for viewers', { exact: true });
    const linkOf = () => until('a whole link', async () => wholeLink(await field.inputValue()));
    const before = await linkOf();
    const host = await panel.share();
    await host.waitUntilLive();
    const viewer = await admin.openPlayer(relay, before);
    await viewer.waitForPicture();
    await viewer.page.keyboard.press('i');
    const code = /\d{4} \d{4} \d{4}/;
    const seen = await viewer.page.getByText(code).first().textContent();
    assert.equal(
      seen?.match(code)?.[0],
      (await desk.getByText(code).first().textContent())?.match(code)?.[0],
    );

    await desk.getByRole('button', { name: 'Replace this link…' }).click();
    await desk.getByRole('button', { name: 'Replace link', exact: true }).click();
    await viewer.waitForState('refused');
    const after = await until('another link', async () => {
      const link = await linkOf();
      return link === before ? null : link;
    });
    const [keyBefore, keyAfter] = [before, after].map((link) => link.split('&key=')[1]);
    assert.notEqual(keyAfter, keyBefore);
    const again = await admin.openPlayer(relay, after, { apart: true });
    await again.waitForPicture();
    // A link that is good, with the key of before.
    const outsider = after.replace(String(keyAfter), String(keyBefore));
    const removed = await admin.openPlayer(relay, outsider, { places: null, apart: true });
    await removed.waitForState('locked');
    await removed.page.getByText('This link’s key does not fit').first().waitFor();
    assert.equal((await removed.records()).framesShown, 0);
  },
);

scenario(
  'an admin with a link of before is told that its key is old, and who watches why nothing is seen',
  async (stage) => {
    const { relay } = stage;
    const { publish, play } = linksOf(stage);
    const [one, other] = [await stage.chromium(), await stage.chromium()];
    const panel = await one.openPanel(relay, publish);
    const host = await panel.share();
    await host.waitUntilLive();
    const removed = await one.openPlayer(relay, play, { apart: true });
    await removed.waitForPicture();
    const elsewhere = await other.openPanel(relay, publish);
    const old = elsewhere.page.getByText('this browser has the key of before').first();
    await elsewhere.page.getByText('Encrypted: only people with the link can see this').waitFor();
    assert.equal(await old.isVisible(), false);

    const field = panel.page.getByLabel('Link for viewers', { exact: true });
    const before = await field.inputValue();
    await panel.page.getByRole('button', { name: 'Replace this link…' }).click();
    await panel.page.getByRole('button', { name: 'Replace link', exact: true }).click();
    await removed.waitForState('refused');
    const after = await until('another link', async () => {
      const link = await field.inputValue();
      return link === before ? null : wholeLink(link);
    });
    const player = await one.openPlayer(relay, after, { apart: true });
    await player.waitForPicture();
    await old.waitFor();

    // Whoever shares with it all the same shows nobody anything, and nobody is suspected for that.
    const second = await elsewhere.share('Take over from here');
    await second.waitUntilLive();
    const locked = await player.waitForState('locked');
    assert.deepEqual(locked, { kind: 'locked', why: 'foreign' });
    await player.page.getByText('This link’s key does not fit').first().waitFor();
    const third = await panel.share(/take back|share/i);
    await third.waitUntilLive();
    await player.waitForPicture(0, await third.scene());
    await player.waitForState('live');
    const privacy = await player.page.evaluate(() => window.steadycast?.privacy());
    assert.deepEqual([privacy?.lock, privacy?.meddled], ['open', null]);

    // The new admin link has the new key.
    await panel.page.context().grantPermissions(['clipboard-read', 'clipboard-write']);
    await panel.page.getByRole('button', { name: 'Copy admin link' }).click();
    const link = await until('a copy', () =>
      panel.page.evaluate(() => navigator.clipboard.readText()),
    );
    await elsewhere.page.goto(link);
    await elsewhere.page.getByText('Encrypted: only people with the link can see this').waitFor();
    const last = await elsewhere.share(/take|share/i);
    await last.waitUntilLive();
    await player.waitForPicture(0, await last.scene());
    stage.note(await assertUnharmed('player', player));
  },
  PRIVATE,
);
