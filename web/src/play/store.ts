/** As `localStorage`; null where the browser keeps nothing. */
export type Store = Pick<Storage, 'getItem' | 'setItem'>;

export function browserStore(): Store | null {
  try {
    return globalThis.localStorage ?? null;
  } catch {
    return null;
  }
}
