import type { CauseId } from '../cause.ts';
import type { CauseEntry } from './entry.ts';
import { LICENSE_CAUSES } from './license.ts';
import { MAIL_CAUSES } from './mail.ts';
import { PATH_CAUSES } from './path.ts';
import { POLLING_CAUSES } from './polling.ts';
import { TLS_CAUSES } from './tls.ts';
import { UNKNOWN_CAUSES } from './unknown.ts';

/** Everything that is known about every cause; a forgotten one is a compile error. */
export const CATALOGUE: Readonly<Record<CauseId, CauseEntry>> = {
  ...PATH_CAUSES,
  ...TLS_CAUSES,
  ...MAIL_CAUSES,
  ...LICENSE_CAUSES,
  ...POLLING_CAUSES,
  ...UNKNOWN_CAUSES,
};
