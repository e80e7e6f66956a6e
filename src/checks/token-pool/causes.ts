import { type CauseWords, kindVariants } from '../../engine/model.ts';

const FREE = 'Free the tokens of users who have left: Authentication > User Management > FortiTokens.';

const UNLOCK =
  'Unlock the free tokens, unless they were locked on purpose: Authentication > User Management > FortiTokens.';

export const TOKEN_POOL_CAUSES = {
  'token-count-mismatch': {
    severity: 'warning',
    name: 'tokens and licence do not match',
    summary: 'The number of FortiToken Mobile tokens on {appliance} does not match its licence.',
    impact: 'tokens',
    sources: ['ta-p/194050', 'docs:fortiauthenticator/6.6.2/rest-api-solution-guide/591316'],
    remedy: [
      'Compare Authentication > User Management > FortiTokens with the licence at support.fortinet.com.',
      'Import the missing licence again, or contact TAC. Do not delete assigned tokens.',
    ],
  },
  'tokens-running-out': {
    severity: 'warning',
    runbook: { name: 'tokens-running-out' },
    name: 'tokens are running out',
    summary: '{appliance} is running low on free FortiToken Mobile tokens ({found}).',
    impact: 'tokens',
    sources: ['ta-p/194050'],
    remedy: ['Order another FortiToken Mobile licence before the last token is assigned.', FREE],
    variants: kindVariants({
      locked: {
        name: 'some free tokens are locked',
        summary: '{appliance} is running low on free FortiToken Mobile tokens ({found}), and some of them are locked.',
        remedy: [UNLOCK, FREE, 'Order another FortiToken Mobile licence before the last token is assigned.'],
      },
    }),
  },
  'tokens-exhausted': {
    severity: 'critical',
    runbook: { name: 'tokens-running-out' },
    name: 'no tokens are left',
    summary: 'No free FortiToken Mobile tokens are left on {appliance}.',
    impact: 'tokens',
    sources: ['ta-p/194050'],
    remedy: [FREE, 'Add another FortiToken Mobile licence.'],
    variants: kindVariants({
      locked: {
        name: 'all free tokens are locked',
        summary: 'All free FortiToken Mobile tokens on {appliance} are locked, so they cannot be assigned.',
        remedy: [UNLOCK, FREE, 'Add another FortiToken Mobile licence.'],
      },
    }),
  },
} satisfies Readonly<Record<string, CauseWords>>;
