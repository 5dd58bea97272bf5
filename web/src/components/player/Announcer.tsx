import { useEffect, useState } from 'react';

/**
 * Says a text to screen readers, once each time that it is another one. They listen to what changes
 * in a place that is there already, so that it begins empty.
 */
export function Announcer({ text }: { text: string }) {
  const [said, setSaid] = useState('');
  useEffect(() => setSaid(text), [text]);
  return (
    <p className="spoken" aria-live="polite">
      {said}
    </p>
  );
}
