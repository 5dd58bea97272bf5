import { count, listed } from '../numbers.ts';

export const viewers = {
  title: 'Viewers',
  nobody: 'Nobody watches yet.',
  untold: 'This relay does not say how viewers fare.',
  asking: 'Asking the relay…',
  incomplete: (relays: readonly string[]) =>
    relays.length === 1
      ? `The relay ${listed(relays)} does not answer. Whoever watches there is missing here.`
      : `The relays ${listed(relays)} do not answer. Whoever watches there is missing here.`,
  states: {
    live: 'live',
    behind: 'behind',
    light: 'on a lighter version',
    waiting: 'without a picture',
    away: 'away',
  },
  statesLabel: 'How they fare',
  transports: { webtransport: 'WebTransport', webrtc: 'WebRTC', websocket: 'WebSocket' },
  over: (transport: string, viewers: string) => `${viewers} over ${transport}`,
  latency: {
    title: 'Latency, from your screen to theirs',
    p50: 'Half of the pictures within',
    p95: '95 of 100 within',
    ms: (ms: string) => `${ms} ms`,
    noNumber: 'not known',
    ofSome: (told: number, all: number) => `as told by ${count(told)} of ${count(all)} viewers`,
    resting: 'Measured again as soon as the picture moves.',
    silent: 'No viewer has said how late its pictures are.',
    ago: (minutes: number) => `−${minutes} min`,
    now: 'now',
    chart: 'Latency over the last five minutes.',
    chartNow: (p50: string, p95: string) =>
      `Latency over the last five minutes. Now half of it is within ${p50}, and 95 of 100 within ${p95}.`,
    chartMost: (p95: string) => `At worst it was ${p95}.`,
  },
  slow: {
    title: 'Who has less of it, and why',
    viewer: (number: number) => `Viewer ${number}`,
    since: (duration: string) => `for ${duration}`,
    more: (viewers: number) => (viewers === 1 ? 'and 1 more' : `and ${count(viewers)} more`),
  },
  why: {
    undecoded: 'Pictures reach it, and its browser makes nothing of them.',
    late: (latency: string) => `Its pictures come ${latency} late.`,
    lateFor: (latency: string, rate: string) =>
      `Its pictures come ${latency} late: its network carries ${rate}.`,
    skips: 'Its network is too slow: pictures are left out, so that the others are not late.',
    skipsFor: (rate: string) =>
      `Its network carries ${rate}: pictures are left out, so that the others are not late.`,
    light: 'Its network is slow: it gets a lighter version.',
    lightFor: (rate: string) => `Its network carries ${rate}: it gets a lighter version.`,
    waiting: 'It has no picture yet, or none that its browser can show.',
    away: 'Its page is hidden: it is behind another tab or window, or minimised.',
  },
};
