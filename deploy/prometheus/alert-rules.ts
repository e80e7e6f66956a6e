import { CAUSE_IDS, wordsOf } from '../../src/checks/registry.ts';

/**
 * A file of rules with the causes in it that say that ftm-watch itself cannot see: these are no fault of the path, and
 * have an alert of their own.
 */
export function renderAlertRules(text: string): string {
  const blind = CAUSE_IDS.filter((id) => wordsOf(id).impact === 'blind' && wordsOf(id).severity === 'warning');
  return text.replaceAll(/(?<=severity="warning",\s+cause[!=]~")[^"]*(?=")/gu, blind.join('|'));
}
