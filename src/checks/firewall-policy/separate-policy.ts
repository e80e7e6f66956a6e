import { type CommandStep, fortios } from '../../engine/model.ts';

const NAMES = {
  source: '"ftm-watch-{sourcefour}"',
  server: '"ftm-watch-{objecthost}"',
  service: '"ftm-watch-tcp-{port}"',
  policy: '"ftm-watch-{sourcefour}-{shortname}"',
} as const;

export const ENTER_POLICY = 'Create the policy with its address and service objects.';

/**
 * The step before `separatePolicy`. The user checks for existing objects first, because `edit` would change an object
 * with the same name.
 * @param lead a sentence that states which policy to prepare, and where
 */
export function preparePolicy(lead: string): CommandStep {
  return fortios(
    `${lead} List the names in use. If the next step, which creates the policy, uses one of them, choose a different ` +
      'name there.',
    '{entervdom}',
    'show firewall address | grep -f "ftm-watch-"',
    'show firewall service custom | grep -f "ftm-watch-"',
    '{leavevdom}',
  );
}

/**
 * Creates a policy for FortiAuthenticator's traffic to the server: one source, one destination, one service, no
 * inspection. VDOM, interfaces, NAT and schedule are copied from the policy that currently matches. The new policy is
 * added last, so it has little effect until it is moved. `edit 0` uses the next free policy number, so that no existing
 * policy is changed. Syntax: FortiOS CLI reference, `config firewall address`, `config firewall service custom`,
 * `config firewall policy`.
 * @param more additional lines for the policy
 */
export function separatePolicy(text: string, ...more: readonly string[]): CommandStep {
  return {
    text,
    syntax: 'fortios',
    commands: [
      '{entervdom}',
      ...table('firewall address', [
        entry(NAMES.source, 'set subnet {sourcefour} 255.255.255.255'),
        entry(NAMES.server, 'set type {addresstype}', 'set {addresskey} "{policyhost}"{addressmask}'),
      ]),
      ...table('firewall service custom', [entry(NAMES.service, 'set tcp-portrange {port}')]),
      ...table('firewall policy', [entry('0', ...POLICY, ...more)]),
      'show firewall policy | grep -f "ftm-watch-"',
      '{leavevdom}',
    ],
    undo: [
      '{entervdom}',
      'config firewall policy',
      '    delete {newid}',
      'end',
      'config firewall service custom',
      `    delete ${NAMES.service}`,
      'end',
      'config firewall address',
      `    delete ${NAMES.source}`,
      `    delete ${NAMES.server}`,
      'end',
      '{leavevdom}',
    ],
  };
}

/** FortiOS uses the first policy that matches. */
export const MOVE_UP = moveUp('Move the new policy above the policy that currently matches the traffic.');

/** For a connection that the implicit deny policy, which is always last, may be blocking. */
export const MOVE_UP_IF_MATCHED = moveUp(
  'If another policy matches the traffic, such as one that denies it, move the new policy above that policy.',
);

function moveUp(lead: string): CommandStep {
  return {
    text: `${lead} New policies are appended, and the first match applies.`,
    syntax: 'fortios',
    commands: ['{entervdom}', 'config firewall policy', '    move {newid} before {policyid}', 'end', '{leavevdom}'],
    undo: ['{entervdom}', 'config firewall policy', '    delete {newid}', 'end', '{leavevdom}'],
  };
}

const POLICY: readonly string[] = [
  `set name ${NAMES.policy}`,
  'set srcintf "{inside}"',
  'set dstintf "{outside}"',
  'set action accept',
  `set srcaddr ${NAMES.source}`,
  `set dstaddr ${NAMES.server}`,
  'set schedule "{schedule}"',
  `set service ${NAMES.service}`,
  'set utm-status disable',
  'set ssl-ssh-profile "no-inspection"',
  'set logtraffic all',
  'set nat {nat}',
  '{natpools}',
];

function table(path: string, entries: readonly (readonly string[])[]): readonly string[] {
  return [`config ${path}`, ...entries.flat(), 'end'];
}

function entry(name: string, ...settings: readonly string[]): readonly string[] {
  return [`    edit ${name}`, ...settings.map((setting) => `        ${setting}`), '    next'];
}
