/** Functions of these files as a script for a page. */

type Part = (...args: never[]) => unknown;

/**
 * A script that defines `parts` and has the value of the first of them, called with `argument`. The
 * functions may use each other and what a page has, nothing else. `path`: only pages there run it.
 */
export function pageScript(parts: readonly Part[], argument: unknown, path?: string): string {
  const guard = path === undefined ? '' : `if (location.pathname !== '${path}') return;`;
  const call = `return (${parts[0]?.name})(${JSON.stringify(argument)});`;
  // The loader that strips the types marks functions with their names.
  const mark = 'const __name = (value) => value;';
  return `(() => { ${guard} ${mark} ${parts.map(String).join('\n')}\n${call} })()`;
}

/** Has a page capture the screen: what it shows first in the picker is what a picker that answers by itself takes. */
export function pickMonitor(): void {
  const devices = navigator.mediaDevices as MediaDevices | undefined;
  if (devices === undefined) return;
  const ask = devices.getDisplayMedia.bind(devices);
  devices.getDisplayMedia = ({ video, ...options } = {}) => {
    const wished = typeof video === 'object' ? video : {};
    return ask({ ...options, video: { ...wished, displaySurface: 'monitor' } });
  };
}

/** Has a page keep the track that it captures, so that a test can end it as the browser's own bar does. */
export function keepTrack(): void {
  const devices = navigator.mediaDevices;
  const ask = devices.getDisplayMedia.bind(devices);
  devices.getDisplayMedia = async (options) => {
    const stream = await ask(options);
    const [track] = stream.getVideoTracks();
    Object.assign(window, {
      endSource: () => {
        track?.stop();
        track?.dispatchEvent(new Event('ended'));
      },
    });
    return stream;
  };
}

/** The same mark for functions that are given to a page alone. */
export const NAME_SHIM = 'globalThis.__name ??= (value) => value;';
