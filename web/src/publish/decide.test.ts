import { describe, expect, it } from 'vitest';
import { decide, type Situation } from './decide.ts';

const CALM: Situation = {
  dirty: false,
  keyframeWanted: false,
  refinementDue: false,
  admitted: true,
  affordable: true,
  yields: false,
  encoderQueue: 0,
  uplinkBacklog: 0,
};

describe('what to do now', () => {
  it('is nothing for a picture that was sent', () => {
    expect(decide(CALM)).toBe('rest');
  });

  it('is to encode a new picture', () => {
    expect(decide({ ...CALM, dirty: true })).toBe('encode');
    expect(decide({ ...CALM, dirty: true, encoderQueue: 1, uplinkBacklog: 1 })).toBe('encode');
  });

  it('is to wait for the frame rate, the encoder and the network', () => {
    expect(decide({ ...CALM, dirty: true, admitted: false })).toBe('rate');
    expect(decide({ ...CALM, dirty: true, encoderQueue: 2 })).toBe('encoder');
    expect(decide({ ...CALM, dirty: true, uplinkBacklog: 2 })).toBe('uplink');
  });

  it('answers a keyframe request at once, new picture or not', () => {
    expect(decide({ ...CALM, keyframeWanted: true, admitted: false })).toBe('encode');
  });

  it('yields to a track that needs the machine more', () => {
    expect(decide({ ...CALM, dirty: true, yields: true })).toBe('others');
    expect(decide({ ...CALM, yields: true })).toBe('rest');
  });

  it('sharpens only when nothing else is under way', () => {
    expect(decide({ ...CALM, refinementDue: true })).toBe('encode');
    expect(decide({ ...CALM, refinementDue: true, encoderQueue: 1 })).toBe('encoder');
    expect(decide({ ...CALM, refinementDue: true, uplinkBacklog: 1 })).toBe('uplink');
    expect(decide({ ...CALM, refinementDue: true, admitted: false })).toBe('rate');
  });
});
