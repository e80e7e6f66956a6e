import type { FloorKind, ProbeKind } from './kinds.ts';
import type { ProbeLoad } from './own-prober.ts';

/** A prober in a separate process. */
export interface Prober<Kind extends ProbeKind | FloorKind> extends AsyncDisposable {
  readonly pid: number;
  /** Probes for a while and returns the number of probes. @throws {Error} if a probe found a fault */
  load(load: ProbeLoad & { readonly kind: Kind }): Promise<number>;
}
