/** What outlives the host's document: IndexedDB, two records a broadcast, and one for each admin of an app. */

import { type LinkKey, readLinkKey } from '@steadycast/codec-glue';
import { type DBSchema, type IDBPDatabase, openDB } from 'idb';
import { networkName } from '../session/network.ts';
import { isCount, isRecord, oneOf, shape } from '../session/parse.ts';
import { CARRIERS, type CarrierName } from '../session/transport.ts';
import { areSizedCrops, type SizedCrop } from './crop-memory.ts';
import type { Crop } from './geometry.ts';
import { isCrop } from './parse.ts';
import { completeQuality, DEFAULT_QUALITY, isQuality, type Quality } from './quality.ts';
import { DEFAULT_SOUND, type SoundChoice, soundChoiceOf } from './sound/choice.ts';

export interface Kept {
  /** The publisher's lineage from the newest `Welcome` (PROTOCOL 3.3). */
  resume: Uint8Array | null;
  crop: Crop | null;
  /** The crops of the last sources, the newest first, by the size that each was chosen for. */
  crops: readonly SizedCrop[];
  quality: Quality;
  /** Loudness, mutes and the microphone. */
  sound: SoundChoice;
  /** The screen was being shared; a reloaded host goes on by itself. */
  sharing: boolean;
  /** The picture is taken back; a reloaded host goes on with a card. */
  paused: boolean;
  /** What is captured is for the admin alone so far; a reloaded host goes on so. */
  standby: boolean;
  /** What was shared last, as the browser names it: monitor, window or browser. */
  surface: string;
}

/** What a host or panel remembers; tests use one in memory. */
export interface Memory {
  load(): Promise<Kept>;
  save(changes: Partial<Kept>): Promise<void>;
}

/** Which carrier was open first between this browser and a relay; tests use one in memory. */
export interface WayMemory {
  /** Null: none is known. */
  load(): Promise<CarrierName | null>;
  save(carrier: CarrierName): Promise<void>;
}

/** What lets this browser's panels and hosts into a broadcast: it is in no address (PROTOCOL 6.2). */
export interface Access {
  /** A publish token; null: none is known here. */
  token: string | null;
  /** What panels and hosts know each other by (PROTOCOL 7.2), as the relay says it. */
  panelSecret: string | null;
  /** What a private broadcast is sealed with; null: it is not private, or nobody has said it here. */
  key: LinkKey | null;
  /** Of which generation of links that is (PROTOCOL 12.7); null: nobody knows. */
  keyGeneration: number | null;
}

export interface AccessMemory {
  load(): Promise<Access>;
  /** Whether it is kept now. */
  save(changes: Partial<Access>): Promise<boolean>;
}

/** Which broadcast an admin of an app has here. */
interface Owned {
  broadcast: string;
}

/** Remembers that; tests use one in memory. */
export interface OwnedMemory {
  /** Null: none is known here. */
  load(): Promise<string | null>;
  save(broadcast: string): Promise<void>;
}

interface Way {
  carrier: CarrierName;
}

interface Schema extends DBSchema {
  broadcasts: { key: string; value: (Kept | Access | Owned | Way) & { savedMs: number } };
}

const NOTHING: Kept = {
  resume: null,
  crop: null,
  crops: [],
  quality: DEFAULT_QUALITY,
  sound: DEFAULT_SOUND,
  sharing: false,
  paused: false,
  standby: false,
  surface: '',
};
const NO_ACCESS: Access = { token: null, panelSecret: null, key: null, keyGeneration: null };
/** Far more than any token has. */
const TEXT_MAX = 8_192;
/** Longer than tokens live; what is older is forgotten. */
const KEEP_MS = 90 * 24 * 3_600_000;

let opened: Promise<IDBPDatabase<Schema>> | null = null;

function database(): Promise<IDBPDatabase<Schema>> {
  opened ??= openDB<Schema>('steadycast', 1, {
    upgrade: (db) => {
      db.createObjectStore('broadcasts');
    },
  });
  return opened;
}

/** The memory of one broadcast. Without a working database it remembers nothing and says nothing. */
export function memoryOf(broadcast: string): Memory {
  return {
    async load() {
      try {
        const db = await database();
        return checked(await db.get('broadcasts', broadcast));
      } catch {
        return NOTHING;
      }
    },
    async save(changes) {
      try {
        const transaction = (await database()).transaction('broadcasts', 'readwrite');
        const before = checked(await transaction.store.get(broadcast));
        const after = { ...before, ...changes, savedMs: Date.now() };
        await transaction.store.put(after, broadcast);
        await transaction.done;
      } catch {
        // A full or forbidden store costs only the comfort after a reload.
      }
    },
  };
}

/**
 * What lets this browser into one broadcast. In a record of its own, which pages of before leave alone:
 * they write the others as they know them. Its name is no id.
 */
export function accessOf(broadcast: string): AccessMemory {
  const key = `access ${broadcast}`;
  return {
    async load() {
      try {
        return checkedAccess(await (await database()).get('broadcasts', key));
      } catch {
        return NO_ACCESS;
      }
    },
    async save(changes) {
      try {
        const transaction = (await database()).transaction('broadcasts', 'readwrite');
        const before = checkedAccess(await transaction.store.get(key));
        await transaction.store.put({ ...before, ...changes, savedMs: Date.now() }, key);
        await transaction.done;
        return true;
      } catch {
        return false;
      }
    },
  };
}

/** The broadcast that this browser has at `relay` for the admin whom an app calls `adminId`. */
export function ownedBy(relay: string, adminId: string): OwnedMemory {
  const key = `owned ${relay} ${adminId}`;
  return {
    async load() {
      try {
        const value: unknown = await (await database()).get('broadcasts', key);
        return isRecord(value) ? textOf(value['broadcast']) : null;
      } catch {
        return null;
      }
    },
    async save(broadcast) {
      try {
        await (await database()).put('broadcasts', { broadcast, savedMs: Date.now() }, key);
      } catch {
        // The next page asks for a broadcast anew.
      }
    },
  };
}

/** For how long a carrier is believed that won: nobody is to be stuck with the second best. */
const WAY_MS = 7 * 24 * 3_600_000;

/** The way to `relay` from this network, where the browser tells networks apart. */
export function wayTo(relay: string): WayMemory {
  const load = async () => {
    try {
      const way: unknown = await (await database()).get('broadcasts', wayKey(relay));
      return isWay(way) && Math.abs(Date.now() - way.savedMs) < WAY_MS ? way.carrier : null;
    } catch {
      return null;
    }
  };
  return {
    load,
    async save(carrier) {
      try {
        // One that wins again does so with its head start, which proves little.
        if ((await load()) === carrier) return;
        const record = { carrier, savedMs: Date.now() };
        await (await database()).put('broadcasts', record, wayKey(relay));
      } catch {
        // The next session finds out for itself.
      }
    },
  };
}

function wayKey(relay: string): string {
  return `way ${relay} ${networkName()}`.trim();
}

const isWay = shape<Way & { savedMs: number }>({ carrier: oneOf(CARRIERS), savedMs: isCount });

/** Forgets broadcasts that nobody has touched for a long time. */
export async function forgetOld(nowMs: number): Promise<void> {
  try {
    const transaction = (await database()).transaction('broadcasts', 'readwrite');
    for (let at = await transaction.store.openCursor(); at !== null; at = await at.continue()) {
      if (nowMs - at.value.savedMs > KEEP_MS) await at.delete();
    }
    await transaction.done;
  } catch {
    // As above.
  }
}

/** Records of another version of this page, or half-written ones, fall back field by field. */
function checked(value: unknown): Kept {
  if (!isRecord(value)) return NOTHING;
  const { resume, crop, crops, quality, sound, sharing, paused, standby, surface } = value;
  const whole = completeQuality(quality);
  return {
    resume: resume instanceof Uint8Array && resume.length === 16 ? resume : null,
    crop: isCrop(crop) ? crop : null,
    crops: areSizedCrops(crops) ? crops : [],
    quality: isQuality(whole) ? whole : DEFAULT_QUALITY,
    sound: soundChoiceOf(sound),
    sharing: sharing === true,
    paused: paused === true,
    standby: standby === true,
    surface: typeof surface === 'string' ? surface : '',
  };
}

function checkedAccess(value: unknown): Access {
  if (!isRecord(value)) return NO_ACCESS;
  const { token, panelSecret, key, keyGeneration } = value;
  return {
    token: textOf(token),
    panelSecret: textOf(panelSecret),
    key: readLinkKey(textOf(key) ?? ''),
    keyGeneration: isCount(keyGeneration) ? keyGeneration : null,
  };
}

function textOf(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && value.length <= TEXT_MAX ? value : null;
}
