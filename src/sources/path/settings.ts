import type { ResolverConfig } from '../../config/schema/resolver.ts';
import type { LicenseServerConfig } from './license-server-section.ts';
import type { ServiceConfig } from './services-section.ts';
import type { TrustConfig } from './trust-section.ts';

/** What of the configuration says which paths there are, and how they are looked at. */
export interface PathSettings {
  readonly licenseServer: LicenseServerConfig;
  readonly trust: TrustConfig;
  readonly services: readonly ServiceConfig[];
  /** Each is asked by itself. */
  readonly resolvers: readonly ResolverConfig[];
  /** The local address that what looks leaves from; null: the kernel chooses. */
  readonly sourceAddress: string | null;
}
