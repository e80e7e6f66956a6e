import { createSecureContext, getCACertificates, type SecureContext } from 'node:tls';
import { KEY_SHARES } from './tls/key-shares.ts';

/**
 * The public authorities as Node ships them, and those the operator added on purpose with NODE_EXTRA_CA_CERTS; the
 * machine's own store is left out, since an inspecting proxy is usually at home in it. Loading 140 roots takes
 * milliseconds: make one for the whole program.
 */
export function publicTrust(): SecureContext {
  return createSecureContext({
    ca: [...getCACertificates('bundled'), ...getCACertificates('extra')],
    ecdhCurve: KEY_SHARES,
  });
}
