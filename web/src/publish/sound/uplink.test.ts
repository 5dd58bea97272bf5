import { decodeSound, type SoundPacket } from '@steadycast/codec-glue';
import { describe, expect, it } from 'vitest';
import { SoundUplink } from './uplink.ts';

function setUp({ room = true } = {}) {
  const sent: SoundPacket[] = [];
  const carrier = {
    clock: { offsetUs: 5_000 },
    sendDatagram: (bytes: Uint8Array) => {
      const packet = decodeSound(bytes);
      if (packet === null) throw new Error('no sound');
      sent.push(packet);
      return room;
    },
  };
  const uplink = new SoundUplink(carrier, 3);
  let place = 0;
  const send = (length = 100, begins = false) => {
    place += 1;
    const bytes = new Uint8Array(length).fill(place);
    uplink.send({ bytes, capturedUs: 1_000_000 + place * 20_000, begins });
  };
  return { sent, uplink, send };
}

const named = (frames: readonly Uint8Array[]) => frames.map(([name]) => name);

describe('the uplink of sound', () => {
  it('counts an epoch’s frames up by one, with their times on the relay’s clock', () => {
    const { sent, send } = setUp();
    for (let frame = 0; frame < 3; frame += 1) send();
    expect(sent.map(({ epoch, sequence, begins }) => [epoch, sequence, begins])).toEqual([
      [3, 1, true],
      [3, 2, false],
      [3, 3, false],
    ]);
    expect(sent.map(({ captureUs }) => captureUs)).toEqual([1_025_000, 1_045_000, 1_065_000]);
  });

  it('repeats as many frames as the relay asks for, from behind no silence', () => {
    const { sent, uplink, send } = setUp();
    send();
    send();
    expect(sent.flatMap(({ repeats }) => repeats)).toEqual([]);
    uplink.repeat = 1;
    send();
    uplink.repeat = 2;
    send();
    send(100, true);
    send();
    send();
    expect(sent.slice(2).map(({ repeats }) => named(repeats))).toEqual([
      [2],
      [2, 3],
      [],
      [5],
      [5, 6],
    ]);
  });

  it('leaves repeats out where a datagram has no room for them, the oldest first', () => {
    const { sent, uplink, send } = setUp();
    uplink.repeat = 2;
    for (const length of [300, 400, 600, 200, 1_000]) send(length);
    expect(sent.map(({ repeats }) => named(repeats))).toEqual([[], [1], [2], [3], []]);
  });

  it('takes no frame that is too long; to who listens it is lost', () => {
    const { sent, uplink, send } = setUp();
    uplink.repeat = 2;
    send();
    send(1_001);
    send();
    expect(sent.map(({ sequence, repeats }) => [sequence, repeats.length])).toEqual([
      [1, 0],
      [3, 0],
    ]);
  });

  it('counts what had to be left', () => {
    const { uplink, send } = setUp({ room: false });
    send();
    send();
    expect(uplink.counts).toMatchObject({ frames: 2, left: 2 });
  });
});
