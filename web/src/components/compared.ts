import { comparisonCode, type LinkKey } from '@steadycast/codec-glue';

/** Tells the code by which people know that they have the same key; returns how not to be told any more. */
export function whenCompared(key: LinkKey, tell: (code: string) => void): () => void {
  let over = false;
  void comparisonCode(key).then((code) => {
    if (!over) tell(code);
  });
  return () => {
    over = true;
  };
}
