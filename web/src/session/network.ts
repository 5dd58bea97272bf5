/** Which network this browser is on, as far as it tells; for documents and workers. */

/** What some browsers have of the Network Information API; others have nothing. */
interface NetworkInformation extends EventTarget {
  /** wifi, cellular, ethernet, ... */
  readonly type?: string;
}

function information(): NetworkInformation | null {
  const { navigator } = globalThis as { navigator?: { connection?: NetworkInformation } };
  return navigator?.connection ?? null;
}

/** A name for it; empty: the browser does not tell networks apart. */
export function networkName(): string {
  return information()?.type ?? '';
}

/** Calls `listener` when there is another network, or one again. Returns how to stop that. */
export function onNetworkChange(listener: () => void): () => void {
  let name = networkName();
  // It also says how fast the network is at present, which is no other network.
  const changed = () => {
    if (networkName() === name) return;
    name = networkName();
    listener();
  };
  const connection = information();
  connection?.addEventListener('change', changed);
  addEventListener('online', listener);
  return () => {
    connection?.removeEventListener('change', changed);
    removeEventListener('online', listener);
  };
}
