import assert from 'node:assert/strict';
import type { Page } from 'playwright-core';
import { violations } from '../src/axe.ts';
import type { HostPage, PanelPage } from '../src/pages.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

const TONE_HZ = 440;
/** Meters go from 0 to 100, by ear: a tone that is played with a quarter of what a sample can say is at 80. */
const LOUD = 60;

const said = (page: Page, text: string | RegExp) => page.locator('.sound').getByText(text);

/** How loud the panel shows a source to be. */
async function level(page: Page, name: string): Promise<number> {
  const meter = page.getByRole('meter', { name: `Level: ${name}` });
  return meter.evaluate((element) => (element as HTMLMeterElement).value);
}

async function waitForLevel(page: Page, name: string, test: (level: number) => boolean) {
  await until(`the level of ${name}`, async () => test(await level(page, name)));
}

async function playTone(host: HostPage, hertz: number): Promise<void> {
  await host.page.evaluate((hz) => window.tone?.play(hz), hertz);
}

async function mute(panel: PanelPage, name: string): Promise<void> {
  await panel.page.getByRole('button', { name: `Mute: ${name}`, exact: true }).click();
}

scenario(
  'a tab is heard: the panel says so, its meter moves, and muting silences it',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium({ sound: 'real' });
    const panel = await admin.openPanel(relay, broadcast.publishToken);
    await said(panel.page, /Leave the sound switched on/).waitFor();
    const host = await panel.share();
    await host.waitUntilLive();
    await said(panel.page, 'Viewers hear the tab’s sound.').waitFor();
    await host.page.getByText('Viewers hear the tab’s sound.').waitFor();
    const tab = 'The tab’s sound';
    await waitForLevel(panel.page, tab, (loud) => loud === 0);
    await playTone(host, TONE_HZ);
    await waitForLevel(panel.page, tab, (loud) => loud > LOUD);
    await mute(panel, tab);
    await said(panel.page, 'All sound is muted: viewers hear nothing.').waitFor();
    await waitForLevel(panel.page, tab, (loud) => loud === 0);
    const { sound } = await host.waitFor('muted', ({ sound }) => sound.channels === null);
    assert.equal(sound.shared.kind, 'tab');

    // What is chosen outlives the window that captures.
    await panel.page.getByRole('slider', { name: `Loudness: ${tab}` }).fill('0.5');
    await host.waitFor('softer', ({ sound: { choice } }) => choice.shared.gain === 0.5);
    await host.page.reload();
    await host.waitUntilLive();
    assert.deepEqual((await host.status())?.sound.choice.shared, { gain: 0.5, muted: true });
    await panel.page.getByRole('button', { name: `Unmute: ${tab}` }).click();
    await playTone(host, TONE_HZ);
    await waitForLevel(panel.page, tab, (loud) => loud > LOUD);
    assert.ok((await level(panel.page, tab)) < 80, 'softer than it was recorded');
    assert.deepEqual(await violations(panel.page), []);
  },
);

scenario(
  'sound goes on while the picture is paused, and in standby nobody hears it',
  async (stage) => {
    const { relay, broadcast } = stage;
    const admin = await stage.chromium({ sound: 'real' });
    const panel = await admin.openPanel(relay, broadcast.publishToken);
    const host = await panel.share('Choose a part first');
    await host.waitFor('in standby', ({ state }) => state === 'standby');
    await said(panel.page, /Nobody hears anything yet.*viewers hear the tab’s sound/).waitFor();
    await playTone(host, TONE_HZ);
    await waitForLevel(panel.page, 'The tab’s sound', (loud) => loud > LOUD);
    const { counts } = await host.waitFor('still in standby', ({ state }) => state === 'standby');
    assert.equal(counts.sessionsOpened, 0, 'nothing leaves the computer');
    await panel.page.getByRole('button', { name: 'Go live' }).first().click();
    await host.waitUntilLive();
    await said(panel.page, 'Viewers hear the tab’s sound.').waitFor();
    await panel.page.getByRole('button', { name: 'Pause the picture' }).click();
    await said(panel.page, /also while the picture is paused/).waitFor();
    await waitForLevel(panel.page, 'The tab’s sound', (loud) => loud > LOUD);
  },
);

scenario('a microphone is added, muted alone, and taken away', async (stage) => {
  const { relay, broadcast } = stage;
  const admin = await stage.chromium();
  const panel = await admin.openPanel(relay, broadcast.publishToken);
  const host = await panel.share();
  await host.waitUntilLive();
  const choice = panel.page.getByRole('combobox', { name: 'Microphone' });
  // Where the browser lets the page listen without being asked, it offers all there are at once.
  const begin = panel.page.getByRole('button', { name: 'Use a microphone…' });
  await choice.or(begin).waitFor();
  if (await begin.isVisible()) await begin.click();
  await choice.selectOption({ label: 'Fake Audio Input 1' });
  await said(panel.page, 'Viewers hear the tab’s sound and your microphone.').waitFor();
  const { sound } = await host.waitFor('listening', ({ sound }) => sound.microphone.label !== null);
  assert.deepEqual(sound.microphone, { label: 'Fake Audio Input 1', problem: null });
  await waitForLevel(panel.page, 'Microphone', (loud) => loud > LOUD);
  await mute(panel, 'The tab’s sound');
  await said(panel.page, 'Viewers hear your microphone.').waitFor();

  // Another window of the host has the same choice, and the microphone again.
  await host.page.reload();
  await host.waitUntilLive();
  await host.waitFor('listening again', ({ sound }) => sound.microphone.label !== null);
  await choice.selectOption({ label: 'None' });
  await said(panel.page, 'All sound is muted: viewers hear nothing.').waitFor();
  await host.waitFor('without a microphone', (status) => status.sound.microphone.label === null);
});
