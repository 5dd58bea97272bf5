/**
 * Starts the worker at `url`, wherever that is: browsers refuse one of another origin, but not one of this
 * page that imports it.
 */
export function startWorker(url: URL, options: WorkerOptions): Worker {
  if (url.origin === location.origin) return new Worker(url, options);
  const script = new Blob([`import ${JSON.stringify(url.href)};`], { type: 'text/javascript' });
  // Not taken back: when the browser has read it, nobody says.
  return new Worker(URL.createObjectURL(script), options);
}
