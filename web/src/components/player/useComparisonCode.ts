import type { LinkKey } from '@steadycast/codec-glue';
import { useEffect, useState } from 'react';
import { whenCompared } from '../compared.ts';

/** By which people know that they have the same key; empty until it is known, or without one. */
export function useComparisonCode(key: LinkKey | null): string {
  const [code, setCode] = useState('');
  useEffect(() => {
    setCode('');
    if (key !== null) return whenCompared(key, setCode);
  }, [key]);
  return code;
}
