export type StepId =
  | 'registration'
  | 'resolver'
  | 'connect'
  | 'tls'
  | 'license-server'
  | 'tokens'
  | 'provisioning'
  | 'code'
  | 'phone';

export interface StepPlan {
  readonly id: StepId;
  /** For a person, as what has to happen. */
  readonly title: string;
  /** How to see it where no check looks at it. */
  readonly wouldShow: string;
}

/**
 * What FortiAuthenticator and the user do when a licence or a token is activated, in order. A check says which of them
 * it watches; how they follow one another is in Fortinet's tips 194050 and 338841.
 */
export const STEPS: readonly StepPlan[] = [
  {
    id: 'registration',
    title: 'The licence is registered to this unit and may still be redeemed',
    wouldShow: 'Name the registration service in "registration", and "redeemBy" of appliances[].certificates.',
  },
  {
    id: 'resolver',
    title: 'A resolver gives the address of the licence server',
    wouldShow: 'Name the resolvers of FortiAuthenticator in "resolvers".',
  },
  {
    id: 'connect',
    title: 'TCP opens to the licence server',
    wouldShow: 'Let this machine connect to the licence server.',
  },
  {
    id: 'tls',
    title: 'TLS shows a certificate that FortiAuthenticator trusts',
    wouldShow: 'Let this machine connect to the licence server, behind the same policy as FortiAuthenticator.',
  },
  {
    id: 'license-server',
    title: 'The licence server answers',
    wouldShow: 'Let this machine connect to the licence server.',
  },
  {
    id: 'tokens',
    title: 'FortiAuthenticator has tokens left',
    wouldShow: 'Give "appliances[].api" a user of the REST API of FortiAuthenticator.',
  },
  {
    id: 'provisioning',
    title: 'FortiAuthenticator itself reaches the licence server',
    wouldShow: 'Send the log of FortiAuthenticator to the daemon: "logs.syslog".',
  },
  {
    id: 'code',
    title: 'The activation code reaches the user before it ends',
    wouldShow: 'Name the mail servers of FortiAuthenticator in "mail".',
  },
  {
    id: 'phone',
    title: 'The phone redeems the code at Fortinet',
    wouldShow: 'Activate one token with a phone: its own network cannot be seen from here.',
  },
];
