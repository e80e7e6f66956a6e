import { licensesOf } from '../../core/license/licenses-of.ts';
import { unitOf } from '../../core/license/unit.ts';
import type { UnitObservation } from '../appliances/unit-observation.ts';
import type { RegistrationQuery } from './observe-registration.ts';

/** The licences that are configured or were seen on the appliances, and the serials to look for them under. */
export function registrationQuery(units: readonly UnitObservation[]): RegistrationQuery {
  const licenses = units.flatMap(({ config: { licenses: configured }, rest }) => licensesOf(configured, rest));
  const serials = units
    .map((unit) => unitOf(unit.config, unit.rest, unit.role))
    .flatMap(({ serial, peers }) => [...(serial === null ? [] : [serial]), ...peers]);
  return { licenses: [...new Set(licenses)], serials: [...new Set(serials)] };
}
