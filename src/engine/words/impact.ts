import type { ActivationContext } from '../../core/license/activation-context.ts';

/** What users feel, where it does not depend on anything. */
const IMPACTS = {
  codes: 'Activation codes do not reach users by e-mail; tokens that are already active keep working.',
  push: 'Phones show no push notifications; codes that users type keep working.',
  answers: 'Users may not be able to answer push notifications; codes that they type keep working.',
  sms: 'Codes do not reach users by SMS; mail and tokens that are already active keep working.',
  fortigate: 'Tokens of a FortiGate cannot be activated; those that are already active keep working.',
  cloud: 'Logins with tokens of FortiToken Cloud may fail.',
  assignment:
    'The licence server refuses this FortiAuthenticator: tokens of this licence cannot be provisioned or activated; ' +
    'tokens that are already active keep working.',
  tokens: 'New users cannot be given a token once none is left; tokens that are already assigned keep working.',
  disabled:
    'The users who were disabled cannot log in. A user who is re-enabled without a new token can log in without the ' +
    'second factor.',
  appliance: 'Activations, or logins with codes, may fail now or later.',
  clock:
    'From a difference of 60 s on, FortiAuthenticator rejects time-based codes; HOTP tokens do not depend on the clock.',
  blind: 'Activation may work; ftm-watch cannot see this part of it.',
  uncertain: 'Activations may fail for some users or at times; tokens that are already active keep working.',
  service: 'What needs this host may fail; activation itself does not need it.',
  none: 'None now.',
} as const;

/** Which part of activation suffers. */
export type ImpactKind = 'activation' | keyof typeof IMPACTS;

/**
 * What users feel now. Existing tokens compute their codes on the phone and are verified by FortiAuthenticator itself,
 * so none of this stops them; end-user activation can be offline since FAC 6.6.1 (Fortinet tips 194050 and 388682).
 */
export function impactOf(kind: ImpactKind, context: ActivationContext): string {
  return kind === 'activation' ? activationImpact(context) : IMPACTS[kind];
}

function activationImpact(context: ActivationContext): string {
  const license = context.licenseActive === true ? 'New tokens' : 'New tokens and licences';
  const offline =
    context.offlineActivation === true
      ? ' Users can still activate offline (FortiAuthenticator 6.6.1 and later).'
      : context.offlineActivation === null
        ? ' From FortiAuthenticator 6.6.1 on, users can activate offline.'
        : '';
  return `${license} cannot be activated; tokens that are already active keep working.${offline}`;
}
