import { expect, it } from 'vitest';
import { Abilities } from './abilities.ts';

const able = async (...prefixes: string[]) => {
  const abilities = new Abilities(async ({ codec }) => {
    if (codec.startsWith('vp09') && !prefixes.includes('vp09')) throw new TypeError('no idea');
    return prefixes.some((prefix) => codec.startsWith(prefix));
  });
  await abilities.probe();
  return abilities;
};

const AV1 = 'av01.0.09M.08';

it('is what the browser says, whatever it chokes on', async () => {
  expect((await able('av01', 'avc1', 'vp8')).codecs).toEqual(['av1', 'h264', 'vp8']);
  expect((await able('avc1')).codecs).toEqual(['h264']);
});

it('is unknown before it was asked, and when the browser denies everything', async () => {
  expect(new Abilities(async () => true).codecs).toBeNull();
  const silent = await able();
  expect(silent.codecs).toBeNull();
  expect(silent.mayDecode(AV1)).toBe(true);
});

it('tries no codec that the browser lacks, but any without a family', async () => {
  const abilities = await able('avc1', 'vp8');
  expect(abilities.mayDecode(AV1)).toBe(false);
  expect(abilities.mayDecode('avc1.42e01f')).toBe(true);
  expect(abilities.mayDecode('hev1.1.6.L93.B0')).toBe(true);
});

it('gives a codec up after failures in a row, and not before', async () => {
  const abilities = await able('av01', 'vp8');
  expect([abilities.failed(AV1), abilities.failed(AV1)]).toEqual([false, false]);
  abilities.worked(AV1);
  expect([abilities.failed(AV1), abilities.failed(AV1)]).toEqual([false, false]);
  expect(abilities.failed(AV1)).toBe(true);
  expect(abilities.codecs).toEqual(['vp8']);
  expect(abilities.failed(AV1)).toBe(false);
});

it('never gives up the last one', async () => {
  const abilities = await able('vp8');
  for (let times = 0; times < 9; times += 1) expect(abilities.failed('vp8')).toBe(false);
  expect(abilities.codecs).toEqual(['vp8']);
});
