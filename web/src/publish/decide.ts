/** What to do about the newest picture now; pure. */

export interface Situation {
  /** The newest picture was not encoded yet. */
  dirty: boolean;
  /** The relay, a new session, a new configuration or a full group wants a keyframe. */
  keyframeWanted: boolean;
  /** A picture at rest is to be encoded once more. */
  refinementDue: boolean;
  /** The frame rate allows one now. */
  admitted: boolean;
  /** What was sent so far leaves room for more at the rate that it is limited to. */
  affordable: boolean;
  /** Another track needs the processor or the network more. */
  yields: boolean;
  encoderQueue: number;
  uplinkBacklog: number;
}

/** rest: nothing to do; the others name what to wait for. */
export type Decision = 'encode' | 'rest' | 'others' | 'rate' | 'encoder' | 'uplink';

/** More than this in a queue only makes the picture older. */
const QUEUE_MAX = 2;

export function decide(now: Situation): Decision {
  const wanted = now.dirty || now.keyframeWanted;
  if (!wanted && !now.refinementDue) return 'rest';
  if (now.yields) return 'others';
  // What only sharpens gives way to everything else.
  const most = wanted ? QUEUE_MAX : 1;
  if (now.encoderQueue >= most) return 'encoder';
  if (now.uplinkBacklog >= most) return 'uplink';
  if (!now.affordable || (!now.keyframeWanted && !now.admitted)) return 'rate';
  return 'encode';
}
