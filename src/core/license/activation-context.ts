import type { ApplianceObservation } from './appliance.ts';
import type { HaRoleObservation } from './ha-role.ts';
import { valueOf } from './resource.ts';
import { sameSerial } from './unit.ts';

/** What decides how much users feel of a fault; null where no appliance tells. */
export interface ActivationContext {
  /** A licence that was bought is active: tokens that users hold keep working whatever happens to the path. */
  readonly licenseActive: boolean | null;
  /** Users can activate without the licence server. */
  readonly offlineActivation: boolean | null;
  /** What must not be done to a unit while it cannot reach the licence server, one sentence. */
  readonly outageWarning?: string | null;
}

/** One unit, by what it says of itself; null: not asked. */
interface AskedUnit {
  readonly rest: ApplianceObservation | null;
  readonly role: HaRoleObservation | null;
}

/** Since firmware 6.6.1 end users activate offline: https://community.fortinet.com/…/ta-p/388682. */
const OFFLINE_ACTIVATION_SINCE: Version = [6, 6, 1];

/** Of firmware. */
export type Version = readonly [major: number, minor: number, patch: number];

/**
 * The context over all appliances. A licence is active when any unit has tokens of one; offline activation counts only
 * when every unit that tells its firmware can do it, since a user's own unit is not known.
 */
export function activationContextOf(units: readonly AskedUnit[]): ActivationContext {
  const active = units.map(({ rest }) => rest && licenseActiveOn(rest)).filter((value) => value !== null);
  const offline = units.map(offlineActivationOn).filter((value) => value !== null);
  return {
    licenseActive: active.length === 0 ? null : active.some(Boolean),
    offlineActivation: offline.length === 0 ? null : offline.every(Boolean),
  };
}

/** Every unit has two tokens for trial, which need no activation and are registered to nobody (Fortinet tip 193793). */
const TRIAL = /^FTMTRIAL/iu;

/** The smallest licence that is sold has 5 tokens (FTM-ELIC-5): fewer that name no licence are those for trial. */
const FEWEST_SOLD = 5;

/** Whether a licence for FortiToken Mobile is active on this unit; null when it did not say. */
function licenseActiveOn(observation: ApplianceObservation): boolean | null {
  if (observation.kind !== 'ok') return null;
  const tokens = valueOf(observation.tokens);
  if (tokens !== null)
    return tokens.byLicense.some(({ license }) => !TRIAL.test(license)) || tokens.withoutLicense >= FEWEST_SOLD;
  const total = valueOf(observation.licensed)?.total ?? observation.system.tokensPopulated;
  return total === null ? null : total >= FEWEST_SOLD;
}

/** Whether this one licence is active on the unit, that is whether it brought tokens; null when nothing tells. */
export function holdsTokensOf(observation: ApplianceObservation | null, license: string): boolean | null {
  if (observation?.kind !== 'ok') return null;
  const tokens = valueOf(observation.tokens);
  if (tokens === null) return licenseActiveOn(observation) === false ? false : null;
  if (tokens.byLicense.some((held) => sameSerial(held.license, license))) return true;
  return tokens.withoutLicense < FEWEST_SOLD ? false : null;
}

function offlineActivationOn({ rest, role }: AskedUnit): boolean | null {
  const firmware = (rest?.kind === 'ok' ? rest.system.firmware : null) ?? (role?.kind === 'ok' ? role.firmware : null);
  const version = firmware === null ? null : firmwareVersion(firmware);
  return version === null ? null : isAtLeast(version, OFFLINE_ACTIVATION_SINCE);
}

/** Reads `FACVMKVM v8.0.3, build0099 (GA)`; null when no version stands in it. */
export function firmwareVersion(firmware: string): Version | null {
  const match = /\bv?(\d{1,4})\.(\d{1,4})(?:\.(\d{1,4}))?/u.exec(firmware);
  if (match === null) return null;
  const [, major, minor, patch] = match;
  return [Number(major), Number(minor), Number(patch ?? 0)];
}

export function isAtLeast(version: Version, wanted: Version): boolean {
  const [major, minor, patch] = version;
  if (major !== wanted[0]) return major > wanted[0];
  if (minor !== wanted[1]) return minor > wanted[1];
  return patch >= wanted[2];
}
