/** Control messages by their numbers (PROTOCOL 2.2, 2.3). */

import type { BincodeReader } from './bytes.ts';
import { WireError } from './error.ts';
import type { ClientMessage, RelayMessage } from './message.ts';
import { SKIPPABLE } from './version.ts';

/** In the order of the wire's variants, from 0. */
const CLIENT_TYPES = [
  'hello',
  'ping',
  'goodbye',
  'keyframeRequest',
  'report',
  'decodes',
  'renditionRefused',
  'pause',
  'continue',
  'sound',
  'listen',
  'pull',
  'audience',
  'needs',
  'branch',
] as const;
const RELAY_TYPES = [
  'welcome',
  'pong',
  'status',
  'keyframeRequest',
  'goodbye',
  'renditions',
  'serving',
  'tracks',
  'sound',
  'listeners',
  'through',
  'pause',
  'continue',
  'ask',
] as const;
/** Those that may be skipped (PROTOCOL 2.12), from {@link SKIPPABLE}. */
const SKIPPABLE_RELAY_TYPES = ['path', 'arrived', 'relays', 'move'] as const;

/** Those to which later versions may add fields. */
export const MAY_GROW: ReadonlySet<string> = new Set(SKIPPABLE_RELAY_TYPES);

export type ClientType = ClientMessage['type'];
export type RelayType = RelayMessage['type'];

/** By the variant's number. */
export const CLIENT_VARIANTS = new Map<number, ClientType>(CLIENT_TYPES.entries());
export const RELAY_VARIANTS = new Map<number, RelayType>([
  ...RELAY_TYPES.entries(),
  ...SKIPPABLE_RELAY_TYPES.map((type, place) => [SKIPPABLE + place, type] as const),
]);

const numbers = <Type>(variants: ReadonlyMap<number, Type>): ReadonlyMap<Type, number> =>
  new Map([...variants].map(([number, type]) => [type, number]));
export const CLIENT_NUMBERS = numbers(CLIENT_VARIANTS);
export const RELAY_NUMBERS = numbers(RELAY_VARIANTS);

/** A message's type; null for one that is not known and may be skipped. Throws WireError. */
export function variant<Type>(
  input: BincodeReader,
  variants: ReadonlyMap<number, Type>,
): Type | null {
  const number = input.u32();
  const type = variants.get(number);
  if (type !== undefined) return type;
  if (number >= SKIPPABLE) return null;
  throw new WireError('unknown_message', `message variant ${number}`);
}
