import { describe, expect, it, vi } from 'vitest';
import type { MicrophoneFacts } from './facts.ts';
import { type Devices, Microphone } from './microphone.ts';

class FakeTrack extends EventTarget {
  readonly label: string;
  stopped = false;

  constructor(label: string) {
    super();
    this.label = label;
  }
  stop(): void {
    this.stopped = true;
  }
  unplug(): void {
    this.dispatchEvent(new Event('ended'));
  }
}

/** A computer with these microphones, by their ids. */
class FakeDevices extends EventTarget {
  readonly plugged: Map<string, string>;
  /** What asking for any of them comes to; null: it is given. */
  refusal: string | null = null;
  readonly tracks: FakeTrack[] = [];

  constructor(plugged: Record<string, string>) {
    super();
    this.plugged = new Map(Object.entries(plugged));
  }

  getUserMedia = async ({ audio }: MediaStreamConstraints): Promise<MediaStream> => {
    const { deviceId } = audio as { deviceId?: { exact: string } };
    if (this.refusal !== null) throw named(this.refusal);
    const [first] = this.plugged.values();
    const label = deviceId === undefined ? first : this.plugged.get(deviceId.exact);
    if (label === undefined)
      throw named(deviceId === undefined ? 'NotFoundError' : 'OverconstrainedError');
    const track = new FakeTrack(label);
    this.tracks.push(track);
    return { getAudioTracks: () => [track] } as unknown as MediaStream;
  };

  enumerateDevices = async (): Promise<MediaDeviceInfo[]> =>
    [...this.plugged].map(
      ([deviceId, label]) => ({ kind: 'audioinput', deviceId, label }) as MediaDeviceInfo,
    );

  plug(id: string, label: string): void {
    this.plugged.set(id, label);
    this.dispatchEvent(new Event('devicechange'));
  }

  get listening(): string[] {
    return this.tracks.filter(({ stopped }) => !stopped).map(({ label }) => label);
  }
}

const named = (name: string) => Object.assign(new Error('no'), { name });
const DESK = { id: 'd', label: 'Desk' };

function setUp(plugged: Record<string, string>) {
  const devices = new FakeDevices(plugged);
  const permission = new EventTarget();
  const told: MicrophoneFacts[] = [];
  const microphone = new Microphone({
    onTrack: (_, facts) => told.push(facts),
    devices: devices as unknown as Devices,
    permission: async () => permission,
  });
  const tells = (facts: Partial<MicrophoneFacts>) =>
    vi.waitFor(() => expect(told.at(-1)).toMatchObject(facts));
  return { devices, permission, told, microphone, tells };
}

describe('a microphone', () => {
  it('is the chosen one, while it is open', async () => {
    const { devices, microphone, tells } = setUp({ h: 'Headset', d: 'Desk' });
    microphone.wish(DESK);
    expect(devices.tracks).toHaveLength(0);
    microphone.open();
    await tells({ label: 'Desk', problem: null });
    microphone.close();
    expect(devices.listening).toEqual([]);
  });

  it('is changed for another without a moment without any', async () => {
    const { devices, microphone, told, tells } = setUp({ h: 'Headset', d: 'Desk' });
    microphone.open();
    microphone.wish(DESK);
    await tells({ label: 'Desk' });
    microphone.wish({ id: 'h', label: 'Headset' });
    await tells({ label: 'Headset' });
    expect(told.map(({ label }) => label)).toEqual(['Desk', 'Headset']);
    expect(devices.listening).toEqual(['Headset']);
    microphone.wish(null);
    await tells({ label: null, problem: null });
    expect(devices.listening).toEqual([]);
  });

  it('is found by its name where the browser calls it otherwise by now', async () => {
    const { microphone, tells } = setUp({ h: 'Headset', 'd-2': 'Desk' });
    microphone.wish(DESK);
    microphone.open();
    await tells({ label: 'Desk', problem: null });
  });

  it('that is not there has another one in its place, and comes back', async () => {
    const { devices, microphone, tells } = setUp({ h: 'Headset' });
    microphone.wish(DESK);
    microphone.open();
    await tells({ label: 'Headset', problem: 'missing' });
    devices.plug('d', 'Desk');
    await tells({ label: 'Desk', problem: null });
    expect(devices.listening).toEqual(['Desk']);
  });

  it('that is unplugged is said, and another one is used', async () => {
    const { devices, microphone, tells } = setUp({ d: 'Desk', h: 'Headset' });
    microphone.wish(DESK);
    microphone.open();
    await tells({ label: 'Desk' });
    devices.plugged.delete('d');
    devices.tracks[0]?.unplug();
    await tells({ label: 'Headset', problem: 'unplugged' });
    devices.plugged.clear();
    devices.tracks[1]?.unplug();
    await tells({ label: null, problem: 'unplugged' });
  });

  it('that may not be listened to is, once it may', async () => {
    const { devices, permission, microphone, tells } = setUp({ d: 'Desk' });
    devices.refusal = 'NotAllowedError';
    microphone.wish(DESK);
    microphone.open();
    await tells({ label: null, problem: 'denied' });
    devices.refusal = null;
    permission.dispatchEvent(new Event('change'));
    await tells({ label: 'Desk', problem: null });
  });

  it('is let go of when it was given too late', async () => {
    const { devices, microphone, told } = setUp({ d: 'Desk' });
    microphone.wish(DESK);
    microphone.open();
    microphone.close();
    await vi.waitFor(() => expect(devices.tracks).toHaveLength(1));
    await vi.waitFor(() => expect(devices.listening).toEqual([]));
    expect(told).toEqual([]);
  });

  it.each([
    ['NotReadableError', 'busy'],
    ['NotFoundError', 'missing'],
    ['TypeError', 'failed'],
  ])('says why it is not to be had: %s', async (name, problem) => {
    const { devices, microphone, tells } = setUp({ d: 'Desk' });
    devices.refusal = name;
    microphone.wish(DESK);
    microphone.open();
    await tells({ label: null, problem: problem as MicrophoneFacts['problem'] });
  });
});
