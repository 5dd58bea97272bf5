/**
 * Keeps the keyboard's place: where the element that has the focus goes from the page, another one gets
 * it, instead of nothing. For what is within `root`, from now on; returns how to end that. `next`: what
 * comes after this one, which is not in the document any more.
 */
export function keepFocus(root: HTMLElement, next: (lost: HTMLElement) => HTMLElement): () => void {
  let last: HTMLElement | null = null;
  const focused = ({ target }: FocusEvent) => {
    last = target instanceof HTMLElement ? target : null;
  };
  const left = ({ target }: FocusEvent) => {
    // Some browsers say so as well of an element that is being taken out, which is still there by now.
    queueMicrotask(() => {
      if (last === target && last?.isConnected === true) last = null;
    });
  };
  const observer = new MutationObserver(() => {
    if (last === null || last.isConnected) return;
    const lost = last;
    last = null;
    if (nothingHasFocus()) next(lost).focus({ preventScroll: true });
  });
  root.addEventListener('focusin', focused);
  root.addEventListener('focusout', left);
  observer.observe(root, { childList: true, subtree: true });
  return () => {
    root.removeEventListener('focusin', focused);
    root.removeEventListener('focusout', left);
    observer.disconnect();
  };
}

function nothingHasFocus(): boolean {
  return document.activeElement === null || document.activeElement === document.body;
}
