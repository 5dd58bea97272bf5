import { describe, expect, it } from 'vitest';
import { choicesOf, movedTo, reachOf } from './reach.ts';

describe('whom a link reaches', () => {
  it.each([
    ['http://localhost:4433/play#token=t', 'own-machine'],
    ['http://cast.localhost/play', 'own-machine'],
    ['http://127.0.0.1:4433/play', 'own-machine'],
    ['http://127.9.8.7/play', 'own-machine'],
    ['https://[::1]:4433/play', 'own-machine'],
    ['https://192.168.1.7:4433/play', 'network'],
    ['https://10.0.0.1/play', 'network'],
    ['https://172.16.0.1/play', 'network'],
    ['https://172.32.0.1/play', 'anywhere'],
    ['https://100.64.1.2/play', 'network'],
    ['https://169.254.1.2/play', 'network'],
    ['https://[fd00::7]:4433/play', 'network'],
    ['https://[2001:db8::7]:4433/play', 'anywhere'],
    ['https://desk.local/play', 'network'],
    ['https://share.example.org/cast/play', 'anywhere'],
    ['https://127.0.0.1.example.org/play', 'anywhere'],
  ])('%s: %s', (link, reach) => {
    expect(reachOf(link)).toBe(reach);
  });
});

describe('the address of a link', () => {
  it('is another one with the same page and the same token', () => {
    expect(
      movedTo('https://192.168.1.7:4433/play#token=x', 'http://localhost:4433/play#token=y'),
    ).toBe('https://192.168.1.7:4433/play#token=y');
    expect(movedTo('https://a.example/cast/play#token=x', 'https://b.example/admin#token=y')).toBe(
      'https://a.example/cast/admin#token=y',
    );
  });

  it('is the network’s where its own reaches nobody', () => {
    const [local, lan] = ['http://localhost:4433/play', 'https://192.168.1.7:4433/play'];
    expect(choicesOf(local, [lan])).toEqual([lan, local]);
    expect(choicesOf(local, [])).toEqual([local]);
    expect(choicesOf('https://share.example/play', [lan])).toEqual(['https://share.example/play']);
  });
});
