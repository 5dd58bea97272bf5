export const troubles = {
  title: 'What is wrong',
  muted: {
    title: 'The shared window gives no pictures at present',
    detail: 'It is minimised or hidden. Viewers keep the last picture until it is back.',
  },
  uplink: {
    title: (rate: string) => `Your upload carries ${rate}`,
    detail: (fps: string, asked: string) =>
      `The picture is sent at ${fps} of ${asked} frames a second, and coarser, so that it is not late. It mends itself when the network does.`,
    coarser:
      'The picture is sent coarser, so that it is not late. It mends itself when the network does.',
  },
  encoder: {
    title: (fps: string) => `This computer encodes ${fps} frames a second at most`,
    detail: (asked: string, ms: string) =>
      `${asked} are asked for, and one takes ${ms} ms. A smaller resolution, or fewer programs, leave room for more.`,
  },
  capture: {
    title: (fps: string, asked: string) =>
      `The browser captures ${fps} frames a second, ${asked} are asked for`,
    detail:
      'Viewers get what there is. Fewer programs, or a smaller screen, may leave room for more.',
  },
  far: {
    title: (ms: string) => `The relay is far away: ${ms} ms there and back`,
    detail: (ms: string) =>
      `Every picture takes about ${ms} ms to get there. A relay nearer to you would have it sooner.`,
  },
  behind: {
    title: (behind: string, all: string) => `${behind} of ${all} viewers are behind`,
    one: 'The only viewer is behind',
    oneOf: (all: string) => `1 of ${all} viewers is behind`,
    detail: 'Why is said with each of them under Viewers. The others are not slowed down by it.',
  },
  waiting: {
    title: (waiting: string, all: string) => `${waiting} of ${all} viewers have no picture`,
    one: 'The only viewer has no picture',
    oneOf: (all: string) => `1 of ${all} viewers has no picture`,
    detail:
      'Their browsers may not be able to show what is sent. Another codec under Quality may help.',
  },
  tcp: {
    title: 'Over TCP: UDP to the server did not get through',
    detail:
      'It is kept out from here, or at the server’s firewall. Viewers see the picture all the same; it comes later where the network loses some of it. The better way is tried again by itself.',
  },
  unreachable: {
    title: 'The link for viewers leads to this computer only',
    detail:
      'Nobody elsewhere can open it: it names this computer by a name that is every computer’s own. Open this page by a name that others reach, and copy the link there.',
  },
};
