import { Desktop, hostStatus } from '../src/desktop.ts';
import { linkTo } from '../src/links.ts';
import { scenario } from '../src/stage.ts';
import { type Rgb, seenSwatches, swatchScript, worstOf } from '../src/swatches.ts';
import { until } from '../src/until.ts';

/** Of 255, in any channel: what quantising to limited range and half the chroma may cost. */
const TOLERANCE = 6;
const CODECS = [
  ['av1', 'av01'],
  ['h264', 'avc1'],
  ['vp9', 'vp09'],
  ['vp8', 'vp8'],
] as const;

// A real screen: what headless browsers make up is tagged with colours that it does not have.
scenario('colours are those of the screen, in every codec over both transports', async (stage) => {
  const { relay, broadcast } = stage;
  const desktop = stage.closeLater(await Desktop.start());
  const panel = await desktop.openWindow(linkTo(relay.origin, 'admin', broadcast.publishToken), {
    left: 640,
    top: 0,
    width: 640,
    height: 700,
  });
  const host = await desktop.opened('/host', async () => {
    await panel.locator('::-p-aria([name="Share screen"][role="button"])').click();
  });
  await until('the host to be live', async () => (await hostStatus(host))?.state === 'live');
  const strip = await desktop.show(`${relay.origin}/`, swatchScript(), {
    left: 0,
    top: 0,
    width: 640,
    height: 480,
  });
  const audience = await stage.chromium();
  const players = {
    webtransport: await audience.openPlayer(relay, broadcast.playToken, { places: null }),
    whep: await audience.openPlayer(relay, broadcast.playToken, {
      places: null,
      webTransport: 'none',
      apart: true,
    }),
  };
  await panel.locator('::-p-text(More settings)').click();
  const choice = await panel.waitForSelector('::-p-aria([name="Codec"][role="combobox"])');
  for (const [codec, prefix] of CODECS) {
    await choice?.select(codec);
    await until(`the host to send ${codec}`, async () => {
      return (await hostStatus(host))?.picture?.codec.startsWith(prefix);
    });
    for (const [transport, player] of Object.entries(players)) {
      let seen: Rgb[] | null = null;
      await until(`${codec} over ${transport}`, async () => {
        const shown = (await player.records()).picture?.codec;
        return transport === 'whep' ? shown === codec.toUpperCase() : shown?.startsWith(prefix);
      });
      const looks = until(
        `the colours in ${codec} over ${transport}`,
        async () => {
          seen = await seenSwatches(player.page, strip);
          return seen !== null && worstOf(seen) <= TOLERANCE;
        },
        { withinMs: 10_000 },
      );
      await looks.catch((error: unknown) => {
        throw new Error(`${error}: ${JSON.stringify(seen)}`);
      });
      stage.note(`${codec} over ${transport}: off by ${worstOf(seen ?? [])} at most`);
    }
  }
});
