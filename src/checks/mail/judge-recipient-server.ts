import { type Finding, note } from '../../engine/finding.ts';
import { isOfThisMachine, type RecipientServerObservation } from '../../core/observation.ts';

/**
 * As the activation tip has it: "if the custom mail server is not reachable, try using localhost", which is a mailer
 * of FortiAuthenticator's own.
 */
export function judgeRecipientServer({
  domain,
  hosts,
  outcome,
}: RecipientServerObservation): readonly Finding<never>[] {
  if (outcome.kind === 'failed' && isOfThisMachine(outcome.reason)) return [];
  const names = hosts.length === 0 ? '' : ` (${hosts.join(', ')})`;
  const seen =
    outcome.kind === 'greets'
      ? `a mail server of it${names} greets this machine: on FortiAuthenticator "localhost" may be worth a try`
      : `no mail server of it${names} greets this machine: ${outcome.message}`;
  return [
    note({
      rule: 'mail-recipient-server-greets',
      subject: domain,
      claim:
        outcome.kind === 'greets'
          ? 'A mail server of the domain answers this machine: on FortiAuthenticator "localhost" may be worth a try.'
          : 'No mail server of the domain answers this machine.',
      ...(outcome.kind === 'greets' ? {} : { quote: outcome.message }),
      expected: 'a mail server that FortiAuthenticator can deliver to by itself',
      actual: `${seen}. This is the view of this machine; from FortiAuthenticator it may differ`,
    }),
  ];
}
