import { PlainChromium } from '../src/plain.ts';
import { pageScript } from '../src/script.ts';
import { scenario } from '../src/stage.ts';
import { until } from '../src/until.ts';

/** Of 30 that the source gives in a second. */
const MOVING = 60;

scenario('a frame that is lost in the browser does not stop the capture', async (stage) => {
  const browser = stage.closeLater(await PlainChromium.launch());
  const { relay, broadcast } = stage;
  const host = await browser.openHost(relay, broadcast.publishToken, pageScript([loseFrame], null));
  await host.waitUntilLive();
  const count = async () => (await host.status())?.counts.framesIn ?? 0;
  const before = await count();
  await until('frames that follow it', async () => (await count()) > before + MOVING);
});

/** The platform types lack it. */
declare const MediaStreamTrackProcessor: new (init: {
  track: MediaStreamTrack;
}) => {
  readonly readable: ReadableStream<VideoFrame>;
};

/** Takes a frame of each captured track and never gives it back; screens lend two at a time. */
function loseFrame(): void {
  const Processor = MediaStreamTrackProcessor;
  const lost: unknown[] = [];
  class Losing extends Processor {
    constructor(init: { track: MediaStreamTrack }) {
      super(init);
      const reader = new Processor({ track: init.track }).readable.getReader();
      void reader.read().then(({ value }) => lost.push(value));
    }
  }
  Object.assign(window, { MediaStreamTrackProcessor: Losing, lost });
}
