import type { UnitObservation } from '../appliances/unit-observation.ts';
import type { Millis } from '../../core/clock.ts';
import type { MailServerConfig } from './section.ts';
import { valueOf } from '../../core/license/resource.ts';

/** A mail server to rehearse with. */
export interface MailServer extends MailServerConfig {
  /** FortiAuthenticator named it, and its API does not tell the login. */
  readonly isLoginUnknown?: true;
}

/** Of FortiAuthenticator, which does not tell its own. */
export const USUAL_PATIENCE: Millis = 5000;

/**
 * The mail servers to rehearse with: those of the configuration, else those that FortiAuthenticator itself sends
 * through.
 */
export function mailServersOf(
  { mail }: { readonly mail: readonly MailServerConfig[] },
  units: readonly UnitObservation[],
): readonly MailServer[] {
  if (mail.length > 0) return mail;
  const named = units.flatMap(({ rest }) => (rest?.kind === 'ok' ? (valueOf(rest.mailServers) ?? []) : []));
  const servers = named.map(
    (server): MailServer => ({ ...server, required: false, timeout: USUAL_PATIENCE, isLoginUnknown: true }),
  );
  return [...new Map(servers.map((server) => [`${server.host}:${String(server.port)}`, server])).values()];
}

/** How long an activation code lives, by the unit where it lives shortest; null: no unit tells. */
export function codeLifeOf(units: readonly UnitObservation[]): Millis | null {
  const lives = units.flatMap(({ rest }) => (rest?.kind === 'ok' ? (valueOf(rest.provisioning)?.codeLife ?? []) : []));
  return lives.length === 0 ? null : Math.min(...lives);
}
