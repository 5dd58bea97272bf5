/** A sound server that plays to nobody, in real time: without one Firefox gives no sound to anything. */

import { access, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { end, launch } from './process.ts';
import { until } from './until.ts';

export class NullSink {
  /** For `PULSE_SERVER`. */
  readonly server: string;
  readonly #close: () => Promise<void>;

  private constructor(server: string, close: () => Promise<void>) {
    this.server = server;
    this.#close = close;
  }

  static async start(): Promise<NullSink> {
    const directory = await mkdtemp(join(tmpdir(), 'steadycast-sound-'));
    const socket = join(directory, 'socket');
    const protocol = `module-native-protocol-unix socket=${socket} auth-anonymous=1`;
    const server = launch(
      'pulseaudio',
      [
        ...['-n', '--daemonize=no', '--use-pid-file=no', '--exit-idle-time=-1'],
        ...['-L', protocol, '-L', 'module-null-sink'],
      ],
      {
        stdio: 'ignore',
        env: { ...process.env, HOME: directory, XDG_RUNTIME_DIR: directory },
      },
    );
    await until('the sound server', () =>
      access(socket).then(
        () => true,
        () => false,
      ),
    );
    return new NullSink(`unix:${socket}`, async () => {
      await end(server);
      await rm(directory, { recursive: true, force: true });
    });
  }

  close(): Promise<void> {
    return this.#close();
  }
}
