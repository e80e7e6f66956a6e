import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { KEY_SHARES } from './tls/key-shares.ts';

/**
 * The public authorities as Node ships them, and those the operator added on purpose with NODE_EXTRA_CA_CERTS; the
 * machine's own store is left out, since an inspecting proxy is usually at home in it. Loading 140 roots takes
 * milliseconds: make one for the whole program.
 */
export function publicTrust(): SecureContext {
  const wanted = [...getCACertificates('bundled'), ...getCACertificates('extra')];
  const usual = getCACertificates('default');
  // Unless an option of Node says otherwise, its own are the same, and it reads them once for all.
  const isUsual = wanted.length === usual.length && wanted.every((certificate, index) => certificate === usual[index]);
  return createSecureContext({ ecdhCurve: KEY_SHARES, ...(isUsual ? {} : { ca: wanted }) });
}
