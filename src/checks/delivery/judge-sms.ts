import type { DeliveryCause } from './causes.ts';
import type { ApplianceFacts } from '../../core/license/appliance.ts';
import { valueOf } from '../../core/license/resource.ts';
import type { Finding } from '../../engine/finding.ts';
import { toldOf } from '../told-of-appliance.ts';

/** Of the SMS that were bought. */
const LOW = 0.1;

/** A unit that has bought none sends through a gateway of its own, or none at all. */
export function judgeSms(facts: ApplianceFacts): readonly Finding<DeliveryCause>[] {
  const quota = valueOf(facts.sms);
  if (quota === null || quota.total === 0) return [];
  const { total, available } = quota;
  const [left, bought] = [String(available), String(total)];
  if (available === 0) {
    const claim = `None of the ${bought} SMS that were bought is left.`;
    const [expected, actual] = ['at least one SMS left', `none of ${bought} is left`];
    const told = toldOf(facts, { rule: 'sms-left', claim, expected, actual });
    return [{ ...told, level: 'warning', suggests: 'sms-exhausted' }];
  }
  if (available / total >= LOW) return [];
  const expected = `at least a tenth of the SMS left`;
  const claim = `${left} of the ${bought} SMS that were bought are left.`;
  const told = toldOf(facts, { rule: 'sms-left', claim, expected, actual: `${left} of ${bought} are left` });
  return [{ ...told, level: 'warning', suggests: 'sms-running-out' }];
}
