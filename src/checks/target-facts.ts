import type { LicenseServerConfig } from '../sources/path/license-server-section.ts';
import type { PathObservation } from '../core/round.ts';
import type { OtherNames } from './name-resolution/other-names.ts';
import type { ControlHosts } from './reachability/explain-shut-ports.ts';
import type { JudgedTlsPath, TlsKnowledge, TlsSurroundings } from './tls-genuine/judge-tls-path.ts';

/** What one round knows of one target: the licence server or a service. */
export interface TargetFacts {
  readonly path: PathObservation;
  readonly port: number;
  /** Null: the target is a service. */
  readonly licenseServer: LicenseServerConfig | null;
  /** The verdicts on its certificates, which its readers share. */
  readonly tls: JudgedTlsPath;
  readonly knowledge: TlsKnowledge;
  readonly surroundings: TlsSurroundings;
  readonly controlHosts: ControlHosts;
  readonly otherNames: OtherNames;
}
