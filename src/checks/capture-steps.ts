import { type CommandStep, fortiauthenticator, shell, type Step } from '../engine/model.ts';

/** Returns commands that change one setting of a FortiGate policy. */
function ofPolicy(setting: string): readonly string[] {
  return [
    '{entervdom}',
    'config firewall policy',
    '    edit {policyid}',
    `        ${setting}`,
    '    next',
    'end',
    '{leavevdom}',
  ];
}

/**
 * Captures the connections of FortiAuthenticator on a FortiGate. Offloading is disabled for the session, because the
 * sniffer never sees packets of an offloaded session (docs.fortinet.com, FortiOS hardware acceleration guide).
 *
 * @param filter in sniffer syntax
 */
export function captureOnFortiGate(filter: string): CommandStep {
  return {
    text:
      'Capture the connection of FortiAuthenticator itself on the FortiGate, on all interfaces. Disable offloading ' +
      'of its policy meanwhile, since offloaded packets are not captured. Log what the terminal shows to a file, ' +
      'start the sniffer, test an activation, and stop it with Ctrl+C.',
    syntax: 'fortios',
    commands: [...ofPolicy('set auto-asic-offload disable'), `diagnose sniffer packet any '${filter}' 6 200 l`],
    undo: ofPolicy('set auto-asic-offload enable'),
  };
}

/**
 * Captures the same on FortiAuthenticator, which uses tcpdump.
 *
 * @param filter in tcpdump syntax
 */
export function captureOnAppliance(filter: string): CommandStep {
  return fortiauthenticator(
    'Or capture on FortiAuthenticator: System > Network > Packet Capture starts, stops and downloads a file; its CLI ' +
      'prints text.',
    `execute tcpdump -i any -n -tttt -XX -s 0 -c 200 ${filter}`,
  );
}

/** Steps that find out which certificate FortiAuthenticator itself received. */
export const CAPTURE_STEPS: readonly Step[] = [
  captureOnFortiGate('host {serverip} and port {port}'),
  captureOnAppliance('host {serverip} and port {port}'),
  shell(
    'Read the file: it shows which certificate FortiAuthenticator was shown, and whether the FortiGate ends TLS.',
    'ftm-watch capture{config} capture.txt',
  ),
];
