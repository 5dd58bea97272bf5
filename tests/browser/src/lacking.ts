/** Takes codecs away from a browser, as if it had been built without them. */

import type { BrowserContext } from 'playwright-core';
import { pageScript } from './script.ts';

export interface Lack {
  /** Of the WebCodecs strings that are taken away. */
  prefix: string;
  /** What is taken away; the decoder when left out. */
  coder?: 'decoder' | 'encoder';
  /** It says that it can, and fails when it has to. */
  promises?: boolean;
}

/** Coders live in workers; `lacks` may be none. `transport`: whether WebTransport is taken away as well. */
export async function takeAway(
  context: BrowserContext,
  lacks: readonly Lack[],
  transport = false,
): Promise<void> {
  const coders = pageScript([lack, takeFrom], lacks);
  const prelude = transport ? `delete globalThis.WebTransport;${coders}` : coders;
  await beforeWorkers(context, prelude);
}

/** In workers no init script runs: their scripts get a few lines in front. */
export async function beforeWorkers(context: BrowserContext, prelude: string): Promise<void> {
  // Of a script that did not come from this machine's network, the browser thinks the worst.
  await context.grantPermissions(['local-network-access']);
  await context.route('**/assets/worker-*.js', async (route) => {
    // Of a relay that is away just now, as the page would have it without this.
    const response = await route.fetch().catch(() => null);
    if (response === null) return route.abort();
    const body = `${prelude};\n${await response.text()}`;
    await route.fulfill({ response, body });
  });
}

function lack(lacks: readonly Lack[]): void {
  const of = (coder: Lack['coder']) =>
    lacks.filter((one) => (one.coder ?? 'decoder') === (coder ?? 'decoder'));
  if ('VideoDecoder' in globalThis) takeFrom(VideoDecoder, of('decoder'));
  if ('VideoEncoder' in globalThis) takeFrom(VideoEncoder, of('encoder'));
}

interface Coder<Config> {
  isConfigSupported(config: Config): Promise<object>;
  prototype: { configure(config: Config): void };
}

function takeFrom<Config extends { codec: string }>(
  coder: Coder<Config>,
  lacks: readonly Lack[],
): void {
  const missing = (config: Config) => lacks.find(({ prefix }) => config.codec.startsWith(prefix));
  const ask = coder.isConfigSupported.bind(coder);
  coder.isConfigSupported = async (config) => {
    const found = missing(config);
    return found === undefined ? ask(config) : { supported: found.promises === true, config };
  };
  const { configure } = coder.prototype;
  coder.prototype.configure = function (this: object, config: Config) {
    if (missing(config) !== undefined) throw new DOMException('no', 'NotSupportedError');
    configure.call(this, config);
  };
}
