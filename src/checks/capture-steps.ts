import { type CommandStep, fortiauthenticator, shell, type Step } from '../engine/model.ts';

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
 * Offloading is disabled for the capture, because the sniffer does not see packets of an offloaded session
 * (docs.fortinet.com, FortiOS hardware acceleration guide).
 * @param filter in FortiGate sniffer syntax
 */
export function captureOnFortiGate(filter: string): CommandStep {
  return {
    text:
      "Capture FortiAuthenticator's connection on all interfaces of the FortiGate. Disable offloading in the policy " +
      'during the capture, because offloaded packets are not captured. Log the terminal output to a file, start the ' +
      'sniffer, test an activation, and stop the sniffer with Ctrl+C.',
    syntax: 'fortios',
    commands: [...ofPolicy('set auto-asic-offload disable'), `diagnose sniffer packet any '${filter}' 6 200 l`],
    undo: ofPolicy('set auto-asic-offload enable'),
  };
}

/** @param filter in tcpdump syntax */
export function captureOnAppliance(filter: string): CommandStep {
  return fortiauthenticator(
    'Alternatively, capture on FortiAuthenticator, either to a file (System > Network > Packet Capture) or on the ' +
      'CLI, which prints text.',
    `execute tcpdump -i any -n -tttt -XX -s 0 -c 200 ${filter}`,
  );
}

export const CAPTURE_STEPS: readonly Step[] = [
  captureOnFortiGate('host {serverip} and port {port}'),
  captureOnAppliance('host {serverip} and port {port}'),
  shell(
    'Analyse the file to find out which certificate FortiAuthenticator received and whether the FortiGate ' +
      "terminates TLS. If the certificate is genuine, FortiAuthenticator's traffic is not intercepted.",
    'ftm-watch capture{config} capture.txt',
  ),
];
