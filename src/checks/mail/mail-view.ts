import { addressInAny } from '../../core/addresses.ts';
import type { SourcesConfig } from '../../sources/registry.ts';

/** What is known of where the probe looks from. */
export interface MailView {
  /** It leaves from an address of FortiAuthenticator: what the server says to it, it says to FortiAuthenticator. */
  readonly fromAppliance: boolean;
}

/** @param config an appliance sends its log, and its mail, from an address of `logSources` */
export function mailViewOf({
  sourceAddress,
  appliances,
}: Pick<SourcesConfig, 'sourceAddress' | 'appliances'>): MailView {
  const own = appliances.flatMap(({ logSources }) => logSources);
  return { fromAppliance: sourceAddress !== null && addressInAny(sourceAddress, own) };
}
