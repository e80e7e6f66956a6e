import { type CommandStep, fortios } from '../../engine/words/step.ts';

const NAMES = {
  source: '"ftm-watch-{sourcefour}"',
  server: '"ftm-watch-{objecthost}"',
  service: '"ftm-watch-tcp-{port}"',
  policy: '"ftm-watch-{sourcefour}-{shortname}"',
} as const;

/** What a command line cannot ask by itself: `edit` makes an object, or changes the one that has the name. */
export const NAMES_ARE_FREE = fortios(
  'FortiAuthenticator gets a policy of its own on {firewall}, without inspection. See first whether objects named ' +
    '"ftm-watch-…" exist: where one has a name of the next block, use another there and in the way back.',
  'show firewall address | grep -f "ftm-watch-"',
  'show firewall service custom | grep -f "ftm-watch-"',
);

/**
 * A policy of its own for FortiAuthenticator's way to the server, on a FortiGate: one source, one destination, one
 * service, no inspection. It stands last, where it changes little, until it is moved. `edit 0` takes the next free
 * number, so that no policy that exists is changed.
 *
 * Syntax: FortiOS CLI reference, `config firewall address`, `config firewall service custom`, `config firewall policy`.
 *
 * @param more settings of the policy beyond these
 */
export function separatePolicy(text: string, ...more: readonly string[]): CommandStep {
  return {
    text,
    syntax: 'fortios',
    commands: [
      ...table('firewall address', [
        entry(NAMES.source, 'set subnet {sourcefour} 255.255.255.255'),
        entry(NAMES.server, 'set type {addresstype}', 'set {addresskey} "{policyhost}"{addressmask}'),
      ]),
      ...table('firewall service custom', [entry(NAMES.service, 'set tcp-portrange {port}')]),
      ...table('firewall policy', [entry('0', ...POLICY, ...more)]),
      'show firewall policy | grep -f "ftm-watch-"',
    ],
    undo: [
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
    ],
  };
}

/** FortiOS takes the first policy that matches. */
export const MOVE_UP: CommandStep = {
  text: 'Then move the new policy above the one that matches now: it stands last, and the first that matches counts.',
  syntax: 'fortios',
  commands: ['config firewall policy', '    move {newid} before {policyid}', 'end'],
  undo: ['config firewall policy', '    delete {newid}', 'end'],
};

const POLICY: readonly string[] = [
  `set name ${NAMES.policy}`,
  'set srcintf "{inside}"',
  'set dstintf "{outside}"',
  'set action accept',
  `set srcaddr ${NAMES.source}`,
  `set dstaddr ${NAMES.server}`,
  'set schedule "always"',
  `set service ${NAMES.service}`,
  'set utm-status disable',
  'set ssl-ssh-profile "no-inspection"',
  'set logtraffic all',
  'set nat enable',
];

function table(path: string, entries: readonly (readonly string[])[]): readonly string[] {
  return [`config ${path}`, ...entries.flat(), 'end'];
}

function entry(name: string, ...settings: readonly string[]): readonly string[] {
  return [`    edit ${name}`, ...settings.map((setting) => `        ${setting}`), '    next'];
}
