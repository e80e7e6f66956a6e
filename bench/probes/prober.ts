import type { FloorKind, ProbeKind } from './kinds.ts';
import type { ProbeLoad } from './own-prober.ts';

/** Something that probes, in a process of its own. */
export interface Prober<Kind extends ProbeKind | FloorKind> extends AsyncDisposable {
  readonly pid: number;
  /** Probes for a while, and gives how often. @throws {Error} when a probe did not find everything well */
  load(load: ProbeLoad & { readonly kind: Kind }): Promise<number>;
}
