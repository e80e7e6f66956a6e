import { stringify } from 'yaml';
import { POLICY_CAUSES } from '../../../src/checks/firewall-policy/causes.ts';
import { remedyOf } from '../../../src/engine/remedy-words.ts';
import { playOf } from './fortios-play.ts';

/** The licence server, as `licenseServer` has it without a configuration. */
const SERVER = { subject: '', host: 'fortitokenmobile.fortinet.com', port: '443' };

/** The remedy of `policy-inspects-traffic` as plays of Ansible, by file: what does it, and its way back. */
export function renderFortigatePlays(): ReadonlyMap<string, string> {
  const steps = remedyOf(POLICY_CAUSES['policy-inspects-traffic'].remedy, SERVER).remedySteps.filter(
    ({ undo }) => undo !== null,
  );
  const blanks = steps.flatMap((step) => step.blanks);
  const [create] = steps;
  return new Map([
    ['separate-policy.yml', rendered(playOf(steps.map(({ commands }) => commands ?? '').join('\n'), blanks))],
    // Its way back removes what was moved too.
    ['separate-policy-undo.yml', rendered(playOf(create?.undo ?? '', blanks))],
  ]);
}

function rendered(play: unknown): string {
  return `# Follows from src/checks/firewall-policy: "npm run generate" writes it.\n---\n${stringify([play], { lineWidth: 110 })}`;
}
