import type { OutsideFacts } from '../../../src/checks/check.ts';
import { CONTEXT } from './judged-round.ts';
import { picture } from './observed.ts';

/** Returns the results besides the round: none, except for these. */
export function outsideFacts(known: Partial<OutsideFacts> = {}): OutsideFacts {
  return { licenseServer: CONTEXT, picture: picture(), log: null, policies: null, ...known };
}
