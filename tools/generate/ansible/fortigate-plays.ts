import { stringify } from 'yaml';
import { POLICY_CAUSES } from '../../../src/checks/firewall-policy/causes.ts';
import { remedyOf } from '../../../src/engine/remedy-words.ts';
import { playOf } from './fortios-play.ts';

/** The licence server, as in `licenseServer` by default. */
const SERVER = { subject: '', host: 'fortitokenmobile.fortinet.com', port: '443' };

/** Renders the remedy of `policy-inspects-traffic` as Ansible plays, by file: the change and its undo. */
export function renderFortigatePlays(): ReadonlyMap<string, string> {
  const steps = remedyOf(POLICY_CAUSES['policy-inspects-traffic'].remedy, SERVER).remedySteps.filter(
    ({ undo }) => undo !== null,
  );
  const blanks = steps.flatMap((step) => step.blanks);
  const [create] = steps;
  return new Map([
    ['separate-policy.yml', rendered(playOf(steps.map(({ commands }) => commands ?? '').join('\n'), blanks))],
    // The undo removes what was moved as well.
    ['separate-policy-undo.yml', rendered(playOf(create?.undo ?? '', blanks))],
  ]);
}

function rendered(play: unknown): string {
  return `# Follows from src/checks/firewall-policy: "npm run generate" writes it.\n---\n${stringify([play], { lineWidth: 110 })}`;
}
