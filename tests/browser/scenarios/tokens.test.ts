import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import type { PlayerTab } from '../src/chromium.ts';
import { tokenIn } from '../src/links.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

scenario('bad tokens open no player, and harm nobody who watches', async (stage) => {
  const { relay, broadcast } = stage;
  const { id } = broadcast;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();
  await player.resetWitness();

  const valid = broadcast.playToken;
  const unknown = { broadcast: 'nosuchone2', role: 'play', expiresInS: 60 } as const;
  const refusals: [what: string, token: string, code: string, title: RegExp][] = [
    [
      'expired',
      await relay.forge({ broadcast: id, role: 'play', expiresInS: -5 }),
      'token_expired',
      /has expired/,
    ],
    ['cut short', valid.slice(0, -3), 'unauthorized', /does not open a broadcast/],
    ['signed by somebody else', withOtherSignature(valid), 'unauthorized', /does not open/],
    ['no token', '', 'unauthorized', /Open your link once more/],
    ['another broadcast', await relay.forge(unknown), 'unknown_broadcast', /is over/],
  ];
  for (const [what, token, code, title] of refusals) {
    const refused = await admin.openPlayer(relay, token, { places: null });
    const state = await refused.waitForState('refused');
    assert.equal(state.kind === 'refused' && state.reason, code, what);
    await assertTold(refused, title);
    const { framesReceived, sessionsOpened } = await refused.records();
    assert.deepEqual([framesReceived, sessionsOpened], [0, 0], `${what}: not a byte of picture`);
    await refused.page.close();
  }
  stage.note(`${refusals.length} refused: ${refusals.map(([what]) => what).join(', ')}`);
  await player.waitForPicture();
  await stage.assertUnharmed({ player });
});

scenario('bad tokens publish nothing and take nothing over', async (stage) => {
  const { relay, broadcast } = stage;
  const { id } = broadcast;
  const admin = await stage.chromium();
  const host = await admin.openHost(relay, broadcast.publishToken);
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();

  const stranger = await stage.chromium();
  const expired = await relay.forge({ broadcast: id, role: 'publish', expiresInS: -5 });
  for (const [what, token, code] of [
    ['expired', expired, 'token_expired'],
    ['signed by somebody else', withOtherSignature(broadcast.publishToken), 'unauthorized'],
  ] as const) {
    const refused = await stranger.openHost(relay, token);
    const status = await refused.waitFor(what, ({ state }) => state === 'refused');
    assert.equal(status.code, code, what);
    assert.equal(status.source, null, `${what}: the capture is given back`);
    await refused.page.close();
  }
  // A viewer's link opens neither panel nor host.
  const viewer = await stranger.openHost(relay, broadcast.playToken);
  await viewer.page.getByText('This link cannot share').waitFor();
  const panel = await stranger.openPanel(relay, broadcast.playToken);
  await panel.page.getByText('This is a viewer’s link').waitFor();
  const answer = await fetch(`${relay.origin}/api/broadcasts/${id}`, {
    method: 'DELETE',
    headers: { authorization: `Bearer ${expired}` },
  });
  assert.equal(answer.status, 401, 'an expired token ends no broadcast');

  await player.waitForPicture(Date.now(), await host.scene());
  const snapshot = await stage.assertUnharmed({ player });
  assert.equal(snapshot.epoch, 1, 'nobody took it over');
});

scenario('the admin ends the broadcast for everybody', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share();
  await host.waitUntilLive();
  const player = await admin.openPlayer(relay, broadcast.playToken);
  await player.waitForPicture();
  const end = (page: Page) => page.getByRole('button', { name: /^End broadcast/ }).first();
  await end(panel.page).click();
  await end(panel.page).click();
  const state = await player.waitForState('ended');
  assert.equal(state.kind === 'ended' && state.reason, 'broadcast_ended');
  await assertTold(player, /has ended/);
  const late = await admin.openPlayer(relay, broadcast.playToken, { places: null });
  await late.waitForState('refused');
});

scenario('the admin replaces the link of the viewers', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share();
  const { epoch } = await host.waitUntilLive();
  const shown = panel.page.getByLabel('Link for viewers');
  const old = await until('the link', async () => {
    const link = await shown.inputValue();
    return link === '' ? null : tokenIn(link);
  });
  const player = await admin.openPlayer(relay, old);
  const fallback = await admin.openPlayer(relay, old, { webTransport: 'none' });
  await player.waitForPicture();
  await fallback.waitForPicture();

  await panel.page.getByRole('button', { name: 'Replace this link…' }).click();
  await panel.page.getByRole('button', { name: 'Replace link', exact: true }).click();
  await panel.page.getByText('This is the new link').waitFor();
  for (const one of [player, fallback]) {
    const state = await one.waitForState('refused');
    assert.equal(state.kind === 'refused' && state.reason, 'revoked');
    await assertTold(one, /This link is not valid any more/);
    const picture = one.page.locator('.player-picture').first();
    assert.equal(await picture.isVisible(), false, 'the last picture is taken away as well');
  }
  const again = await admin.openPlayer(relay, old, { places: null });
  await again.waitForState('refused');

  const fresh = tokenIn(await shown.inputValue());
  assert.notEqual(fresh, old);
  const back = await admin.openPlayer(relay, fresh);
  await back.waitForPicture();
  await panel.waitForState('live');
  const { epoch: now } = await host.waitUntilLive();
  assert.equal(now, epoch, 'the host has noticed nothing');
});

async function assertTold(player: PlayerTab, title: RegExp): Promise<void> {
  await player.page.getByText(title).first().waitFor();
}

/** Of the right form, but made with another key. */
function withOtherSignature(token: string): string {
  const [head = '', claims = '', signature = ''] = token.split('.');
  const other = [...signature].reverse().join('');
  return `${head}.${claims}.${other.slice(0, -1)}A`;
}
