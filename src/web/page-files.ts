import type { WebConfig } from '../config/schema/web.ts';
import { ServedCertificate } from '../network/tls/served-certificate.ts';
import { allOrProblems } from '../text/message-of.ts';
import { createIdentify, hasCredentials, type Identify, type IdentifyDeps } from './identify.ts';

/** What the page has read from its files. */
export interface PageFiles {
  readonly identify: Identify | null;
  readonly certificate: ServedCertificate | null;
}

/** @throws {Error} that lists each certificate, password hash and token that cannot be used, one per line */
export async function loadPage(config: WebConfig, deps: Omit<IdentifyDeps, 'refreshAuthorities'>): Promise<PageFiles> {
  let served: ServedCertificate | null = null;
  const refreshAuthorities = async (): Promise<void> => served?.refresh();
  const [identify, certificate] = await allOrProblems([
    hasCredentials(config) || config.anonymous === 'metrics'
      ? createIdentify(config, { ...deps, refreshAuthorities })
      : null,
    config.tls === null ? null : ServedCertificate.read(config.tls, 'the status page'),
  ]);
  served = certificate;
  return { identify, certificate };
}
