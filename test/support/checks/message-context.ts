import type { EgressDeps } from '../../../src/network/http/egress.ts';
import type { MessageContext } from '../../../src/document/notification.ts';

/** Egress without a proxy. */
export const DIRECT: Pick<EgressDeps, 'proxy' | 'env'> = { proxy: null, env: {} };

/** Site "hq", whose page cannot be opened on a phone. */
export const AT_HQ: MessageContext & typeof DIRECT & { readonly version: string } = {
  ...DIRECT,
  version: '0.1.0',
  site: 'hq',
  timezone: 'UTC',
  publicUrl: null,
  runbookUrl: null,
};
