/** A signal that aborts with `owner`, or after `ms`; `AbortSignal.any` is missing in older WebKit. */
export function deadline(owner: AbortSignal, ms: number): AbortSignal {
  const abort = new AbortController();
  const leave = () => abort.abort(owner.reason);
  const timer = setTimeout(() => abort.abort(new DOMException('too late', 'TimeoutError')), ms);
  owner.addEventListener('abort', leave);
  abort.signal.addEventListener('abort', () => {
    clearTimeout(timer);
    owner.removeEventListener('abort', leave);
  });
  if (owner.aborted) leave();
  return abort.signal;
}
